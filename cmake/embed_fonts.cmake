# Puts font files into the program: one assembler object per target, made from the files at build time. The symbols are those
# that app/shell/embedded_fonts.h declares. Usage: embed_fonts(target name file [name file ...])
function(embed_fonts target)
  set(source ${CMAKE_CURRENT_BINARY_DIR}/embedded_fonts.cpp)
  set(text "#include \"app/shell/embedded_fonts.h\"\n")
  set(files)
  set(rest ${ARGN})
  while(rest)
    list(POP_FRONT rest name file)
    list(APPEND files ${file})
    string(APPEND text
      "__asm__(\".pushsection .rodata\\n.balign 16\\nmambascope_${name}_begin:\\n.incbin \\\"${file}\\\"\\nmambascope_${name}_end:\\n.byte 0\\n\"\n"
      "        \".globl mambascope_${name}_begin\\n.hidden mambascope_${name}_begin\\n\"\n"
      "        \".globl mambascope_${name}_end\\n.hidden mambascope_${name}_end\\n.popsection\\n\");\n"
      "extern \"C\" __attribute__((visibility(\"hidden\"))) const unsigned char mambascope_${name}_begin[], mambascope_${name}_end[];\n"
      "app::EmbeddedFont app::embedded_${name}() { return {mambascope_${name}_begin, mambascope_${name}_end - mambascope_${name}_begin}; }\n")
  endwhile()
  file(CONFIGURE OUTPUT ${source} CONTENT "${text}" @ONLY)
  set_source_files_properties(${source} PROPERTIES OBJECT_DEPENDS "${files}")
  target_sources(${target} PRIVATE ${source})
endfunction()
