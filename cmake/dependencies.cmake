# Libraries from the system's packages. scripts/setup.sh installs them on Debian and Ubuntu.
find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(nlohmann_json 3.10 REQUIRED)
find_package(CLI11 REQUIRED)
find_package(PNG REQUIRED)
find_package(ZLIB REQUIRED)
find_path(EXPECTED_INCLUDE_DIR tl/expected.hpp REQUIRED)

# Debian's package configuration of libzip asks for tools of another package, so it is found by hand.
find_path(LIBZIP_INCLUDE_DIR zip.h REQUIRED)
find_library(LIBZIP_LIBRARY zip REQUIRED)
add_library(libzip INTERFACE)
target_include_directories(libzip SYSTEM INTERFACE ${LIBZIP_INCLUDE_DIR})
target_link_libraries(libzip INTERFACE ${LIBZIP_LIBRARY})

# Debian's packages of these two have no CMake configuration.
find_path(PCRE2_INCLUDE_DIR pcre2.h REQUIRED)
find_library(PCRE2_LIBRARY pcre2-8 REQUIRED)
add_library(pcre2 INTERFACE)
target_include_directories(pcre2 SYSTEM INTERFACE ${PCRE2_INCLUDE_DIR})
target_link_libraries(pcre2 INTERFACE ${PCRE2_LIBRARY})

find_path(UTF8PROC_INCLUDE_DIR utf8proc.h REQUIRED)
find_library(UTF8PROC_LIBRARY utf8proc REQUIRED)
add_library(utf8proc INTERFACE)
target_include_directories(utf8proc SYSTEM INTERFACE ${UTF8PROC_INCLUDE_DIR})
target_link_libraries(utf8proc INTERFACE ${UTF8PROC_LIBRARY})

add_library(expected INTERFACE)
target_include_directories(expected SYSTEM INTERFACE ${EXPECTED_INCLUDE_DIR})

if(MAMBASCOPE_TESTS)
  find_package(doctest REQUIRED)
endif()
