# The language, the warnings and the sanitizers of our own code, as one interface target: mambascope_standards.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

# -O3 buys nothing here (the CPU kernels are vectorised by hand) and costs minutes of compiling.
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG")

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "" FORCE)
endif()

# A compiler cache is used where there is one; nothing depends on it.
find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
  set(CMAKE_CUDA_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
endif()

add_library(mambascope_standards INTERFACE)
target_include_directories(mambascope_standards INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_options(mambascope_standards INTERFACE
  $<$<COMPILE_LANGUAGE:CXX>:-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Wold-style-cast -Wnon-virtual-dtor>)
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # g++ 12 sees overlapping copies in std::string's own operator+.
  target_compile_options(mambascope_standards INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Wno-restrict>)
endif()
if(MAMBASCOPE_WERROR)
  target_compile_options(mambascope_standards INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Werror>)
endif()
# Bits must not depend on the compiler's mood: contraction is written out where it is wanted.
target_compile_options(mambascope_standards INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-ffp-contract=off>)

if(MAMBASCOPE_SANITIZE)
  add_compile_options(-fsanitize=${MAMBASCOPE_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${MAMBASCOPE_SANITIZE})
endif()
