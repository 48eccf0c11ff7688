# Warnings are errors; hardening is part of every build, sanitizers replace what collides with them.
add_compile_definitions(BOOST_ASIO_NO_DEPRECATED BOOST_ASIO_SEPARATE_COMPILATION BOOST_BEAST_SEPARATE_COMPILATION
                        BOOST_ASIO_DISABLE_BOOST_COROUTINE GALLERYD_VERSION="${PROJECT_VERSION}" _GLIBCXX_ASSERTIONS)
add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror -fPIE -fstack-protector-strong
                    $<$<COMPILE_LANGUAGE:CXX>:-Wunused-result>)
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  add_compile_options("SHELL:$<$<COMPILE_LANGUAGE:CXX>:-Xclang -fno-pch-timestamp>")
endif()
if(CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64")
  add_compile_options(-fcf-protection=full)
endif()
include_directories(${CMAKE_SOURCE_DIR})

add_link_options(-pie -Wl,--build-id=sha1)  # the parsed cache tells builds by it (program/build_id.h)
if(GALLERYD_SANITIZE)
  add_compile_options(-fsanitize=${GALLERYD_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${GALLERYD_SANITIZE})
  if(GALLERYD_FUZZ)   # coverage for libFuzzer, whose main only its binaries get
    add_compile_options(-fsanitize=fuzzer-no-link)
    add_link_options(-fsanitize=fuzzer-no-link)
  endif()
else()
  add_compile_options($<$<NOT:$<CONFIG:Debug>>:-U_FORTIFY_SOURCE> $<$<NOT:$<CONFIG:Debug>>:-D_FORTIFY_SOURCE=3>)
  add_link_options(-Wl,-z,relro,-z,now,-z,noexecstack)
  if(MOLD_PROGRAM)   # folds functions that are the same, but for those whose address somebody takes
    add_link_options($<$<CONFIG:Release>:-Wl,--gc-sections,--icf=safe>)
  endif()
endif()
