# Files become part of the binary by .incbin (read-only section, no compile time); controller/core/assets.h finds them by path.
function(galleryd_assets target)
  set(files "")
  foreach(pattern ${ARGN})
    file(GLOB found CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR} ${CMAKE_SOURCE_DIR}/${pattern})
    list(APPEND files ${found})
  endforeach()
  set(asm "    .section .rodata\n")
  set(declarations "")
  set(rows "")
  set(index 0)
  set(absolute "")
  foreach(file ${files})
    string(APPEND asm "    .global galleryd_asset_${index}_begin\n    .global galleryd_asset_${index}_end\n    .balign 16\ngalleryd_asset_${index}_begin:\n    .incbin \"${CMAKE_SOURCE_DIR}/${file}\"\ngalleryd_asset_${index}_end:\n    .byte 0\n")
    string(APPEND declarations "extern \"C\" const char galleryd_asset_${index}_begin[];\nextern \"C\" const char galleryd_asset_${index}_end[];\n")
    string(APPEND rows "        {\"${file}\", std::string_view(galleryd_asset_${index}_begin, static_cast<std::size_t>(galleryd_asset_${index}_end - galleryd_asset_${index}_begin))},\n")
    list(APPEND absolute ${CMAKE_SOURCE_DIR}/${file})
    math(EXPR index "${index} + 1")
  endforeach()
  string(APPEND asm "    .section .note.GNU-stack,\"\",@progbits\n")
  file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/assets/assets.S CONTENT "${asm}" @ONLY)
  file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/assets/assets.cc CONTENT "#include \"controller/core/assets.h\"

#include <vector>

${declarations}
namespace galleryd {

std::span<const Asset> assets() {
    static const std::vector<Asset> all{
${rows}    };
    return all;
}

}  // namespace galleryd
" @ONLY)
  add_library(${target} STATIC ${CMAKE_BINARY_DIR}/assets/assets.S ${CMAKE_BINARY_DIR}/assets/assets.cc)
  set_source_files_properties(${CMAKE_BINARY_DIR}/assets/assets.S PROPERTIES OBJECT_DEPENDS "${absolute}")
endfunction()
