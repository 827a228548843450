# Dear ImGui (docking), ImPlot, ImPlot3D, the test engine and the fonts, from one pinned source archive. It is fetched once into a
# cache that all presets share, its hash is checked, and only the folders named here are unpacked.
# -DMAMBASCOPE_GUI_SOURCES=DIR takes an unpacked archive instead, for a machine without a network.
set(GUI_ARCHIVE_VERSION 1.93.0)
set(GUI_ARCHIVE_SHA256 10ad1dab8258a6787b4f07bb926b08d0efc648a7906242568c8dd778c5e719bf)
set(MAMBASCOPE_GUI_SOURCES "" CACHE PATH "Folder of an unpacked imgui-bundle source archive")
set(MAMBASCOPE_CACHE "${PROJECT_SOURCE_DIR}/.cache" CACHE PATH "Where fetched archives are kept")

set(gui_root ${MAMBASCOPE_GUI_SOURCES})
if(NOT gui_root)
  set(gui_root ${MAMBASCOPE_CACHE}/imgui_bundle-${GUI_ARCHIVE_VERSION})
  set(archive ${MAMBASCOPE_CACHE}/imgui_bundle-${GUI_ARCHIVE_VERSION}.tar.gz)
  if(NOT EXISTS ${gui_root}/.complete-2)
    if(NOT EXISTS ${archive})
      message(STATUS "Fetching the GUI sources (54 MB) into ${MAMBASCOPE_CACHE}")
      file(MAKE_DIRECTORY ${MAMBASCOPE_CACHE})
      find_package(Python3 REQUIRED COMPONENTS Interpreter)
      execute_process(
        COMMAND ${Python3_EXECUTABLE} -m pip download --quiet --no-deps --no-binary imgui-bundle
                --dest ${MAMBASCOPE_CACHE} imgui-bundle==${GUI_ARCHIVE_VERSION}
        RESULT_VARIABLE failed)
      if(failed OR NOT EXISTS ${archive})
        message(FATAL_ERROR "Could not fetch imgui-bundle ${GUI_ARCHIVE_VERSION} from PyPI. Without a network, unpack its source "
                            "archive by hand and pass -DMAMBASCOPE_GUI_SOURCES=DIR.")
      endif()
    endif()
    file(SHA256 ${archive} found)
    if(NOT found STREQUAL GUI_ARCHIVE_SHA256)
      message(FATAL_ERROR "${archive} has the SHA-256 ${found}, expected ${GUI_ARCHIVE_SHA256}. Delete it and configure again.")
    endif()
    set(top imgui_bundle-${GUI_ARCHIVE_VERSION})
    file(ARCHIVE_EXTRACT INPUT ${archive} DESTINATION ${MAMBASCOPE_CACHE} PATTERNS
      ${top}/external/imgui/imgui/*
      ${top}/external/implot/implot/*
      ${top}/external/implot3d/implot3d/*
      ${top}/external/portable_file_dialogs/portable_file_dialogs/*
      ${top}/external/imgui_test_engine/imgui_test_engine/imgui_test_engine/*
      ${top}/bindings/imgui_bundle/assets/fonts/*)
    file(TOUCH ${gui_root}/.complete-2)
  endif()
endif()

find_package(glfw3 3.3 REQUIRED)
find_package(OpenGL REQUIRED COMPONENTS EGL OpenGL)

set(imgui ${gui_root}/external/imgui/imgui)
set(implot ${gui_root}/external/implot/implot)
set(implot3d ${gui_root}/external/implot3d/implot3d)
set(test_engine ${gui_root}/external/imgui_test_engine/imgui_test_engine/imgui_test_engine)
set(MAMBASCOPE_FONTS ${gui_root}/bindings/imgui_bundle/assets/fonts)

# Headers alone.
add_library(file_dialogs INTERFACE)
target_include_directories(file_dialogs SYSTEM INTERFACE ${gui_root}/external/portable_file_dialogs/portable_file_dialogs)

add_library(imgui STATIC
  ${imgui}/imgui.cpp ${imgui}/imgui_draw.cpp ${imgui}/imgui_tables.cpp ${imgui}/imgui_widgets.cpp ${imgui}/imgui_stacklayout.cpp
  ${imgui}/imgui_demo.cpp
  ${imgui}/misc/cpp/imgui_stdlib.cpp
  ${imgui}/backends/imgui_impl_glfw.cpp ${imgui}/backends/imgui_impl_opengl3.cpp
  ${implot}/implot.cpp ${implot}/implot_items.cpp
  ${implot3d}/implot3d.cpp ${implot3d}/implot3d_items.cpp ${implot3d}/implot3d_meshes.cpp)
target_include_directories(imgui SYSTEM PUBLIC ${imgui} ${imgui}/backends ${imgui}/misc/cpp ${implot} ${implot3d})
target_link_libraries(imgui PUBLIC glfw OpenGL::OpenGL OpenGL::EGL ${CMAKE_DL_LIBS})
# -O1: ImPlot's templates take minutes at -O3, and what a frame costs is drawing, not this.
target_compile_options(imgui PRIVATE -w -O1)
# Plots hold tens of thousands of vertices: 32-bit indices.
target_compile_definitions(imgui PUBLIC ImDrawIdx=unsigned\ int)
if(MAMBASCOPE_TESTS)
  # The test engine is compiled into test builds only; its hooks cost one branch while no test runs.
  target_sources(imgui PRIVATE
    ${test_engine}/imgui_capture_tool.cpp ${test_engine}/imgui_te_context.cpp ${test_engine}/imgui_te_coroutine.cpp
    ${test_engine}/imgui_te_engine.cpp ${test_engine}/imgui_te_exporters.cpp ${test_engine}/imgui_te_perftool.cpp
    ${test_engine}/imgui_te_ui.cpp ${test_engine}/imgui_te_utils.cpp)
  target_include_directories(imgui SYSTEM PUBLIC ${test_engine}/.. ${test_engine})
  target_compile_definitions(imgui PUBLIC IMGUI_ENABLE_TEST_ENGINE IMGUI_TEST_ENGINE_ENABLE_COROUTINE_STDTHREAD_IMPL=1
    IMGUI_TEST_ENGINE_ENABLE_CAPTURE=0)
endif()
