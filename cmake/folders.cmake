# One precompiled header for all folders (stack: asio awaitables, json_fwd and the std headers; never Beast or TLS).
file(WRITE ${CMAKE_BINARY_DIR}/pch/empty.cc "")
add_library(galleryd_pch OBJECT ${CMAKE_BINARY_DIR}/pch/empty.cc)
target_link_libraries(galleryd_pch PRIVATE Boost::headers nlohmann_json::nlohmann_json)
target_precompile_headers(galleryd_pch PRIVATE ${CMAKE_SOURCE_DIR}/cmake/pch.h)

# Half of a release's resident memory at rest is its own pages, so folders where nothing is hot are built for size. (The others
# would be a fifth slower.) clang wants a precompiled header of its own for that.
set(GALLERYD_SMALL http journal process program simulator telemetry)
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  add_library(galleryd_small_pch OBJECT ${CMAKE_BINARY_DIR}/pch/empty.cc)
  target_link_libraries(galleryd_small_pch PRIVATE Boost::headers nlohmann_json::nlohmann_json)
  target_precompile_headers(galleryd_small_pch PRIVATE ${CMAKE_SOURCE_DIR}/cmake/pch.h)
  target_compile_options(galleryd_small_pch PRIVATE -Os)
endif()

function(galleryd_precompiled name)
  if(name IN_LIST GALLERYD_SMALL AND TARGET galleryd_small_pch)
    target_compile_options(galleryd_${name} PRIVATE -Os)
    target_precompile_headers(galleryd_${name} REUSE_FROM galleryd_small_pch)
  else()
    target_precompile_headers(galleryd_${name} REUSE_FROM galleryd_pch)
  endif()
endfunction()

add_library(galleryd_asio STATIC ${CMAKE_SOURCE_DIR}/cmake/asio_src.cc)
target_link_libraries(galleryd_asio PUBLIC Boost::headers OpenSSL::SSL Threads::Threads)

function(galleryd_folder name folder)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${folder}/*.cc)
  if(sources)
    add_library(galleryd_${name} STATIC ${sources})
    target_link_libraries(galleryd_${name} PUBLIC ${ARGN} Threads::Threads)
    target_link_libraries(galleryd_${name} PRIVATE nlohmann_json::nlohmann_json)
    galleryd_precompiled(${name})
  else()
    add_library(galleryd_${name} INTERFACE)
    target_link_libraries(galleryd_${name} INTERFACE ${ARGN} Threads::Threads)
  endif()
endfunction()

set(GALLERYD_LIBRARIES
    galleryd_gallery galleryd_image_definition galleryd_image_version galleryd_lifecycle galleryd_simulator galleryd_journal
    galleryd_telemetry galleryd_azure galleryd_process galleryd_folder galleryd_documents galleryd_http galleryd_clock galleryd_runtime
    galleryd_ports galleryd_core)

function(galleryd_program)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/controller/program/*.cc ${CMAKE_SOURCE_DIR}/controller/program/doctor/*.cc)
  list(FILTER sources EXCLUDE REGEX "/main\\.cc$")
  if(sources)
    add_library(galleryd_program STATIC ${sources})
    target_link_libraries(galleryd_program PUBLIC ${GALLERYD_LIBRARIES})
    galleryd_precompiled(program)
  else()
    add_library(galleryd_program INTERFACE)
    target_link_libraries(galleryd_program INTERFACE ${GALLERYD_LIBRARIES})
  endif()
  if(EXISTS ${CMAKE_SOURCE_DIR}/controller/program/main.cc)
    add_executable(galleryd ${CMAKE_SOURCE_DIR}/controller/program/main.cc)
    target_link_libraries(galleryd PRIVATE galleryd_program)
    target_precompile_headers(galleryd REUSE_FROM galleryd_pch)
  endif()
endfunction()

# Where the interlock is asked. tests/mutation compiles these files once more, with the switch of
# controller/core/interlock_switch.h: in that binary they stand in for the same files of the libraries.
set(GALLERYD_SWITCHED
    reconcilers/lifecycle/interlock.cc reconcilers/lifecycle/fresh_check.cc reconcilers/lifecycle/executor.cc
    reconcilers/lifecycle/executor_guard.cc controller/adapters/journal/directory.cc)

# The simulated world without its test cases: tests/simulation and tests/mutation share it.
function(galleryd_simulation_support)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/simulation/*.cc)
  list(FILTER sources EXCLUDE REGEX "_test\\.cc$")
  add_library(galleryd_simulation_support STATIC ${sources})
  target_link_libraries(galleryd_simulation_support PUBLIC galleryd_test_support)
  target_precompile_headers(galleryd_simulation_support REUSE_FROM galleryd_pch)
  target_compile_definitions(galleryd_simulation_support PRIVATE GALLERYD_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
endfunction()

# Each point of the interlock is a test of its own, which has to find a case and pass it.
function(galleryd_mutation_tests)
  list(TRANSFORM GALLERYD_SWITCHED PREPEND ${CMAKE_SOURCE_DIR}/ OUTPUT_VARIABLE switched)
  target_sources(mutation_tests PRIVATE ${switched})
  target_compile_definitions(mutation_tests PRIVATE GALLERYD_INTERLOCK_SWITCH)
  foreach(point RANGE 1 12)
    add_test(NAME mutation.point_${point} COMMAND mutation_tests "--test-case=point ${point}:*")
    set_tests_properties(mutation.point_${point} PROPERTIES
      PASS_REGULAR_EXPRESSION "test cases: +[1-9][0-9]* \\| +[1-9][0-9]* passed \\| +0 failed")
  endforeach()
  add_test(NAME mutation.schedules COMMAND mutation_tests "--test-case-exclude=point *")
endfunction()

# The folders that a source includes headers of, as libraries: "controller/adapters/azure/decode.h" is galleryd_azure.
function(galleryd_included_folders source out)
  file(STRINGS ${source} includes REGEX "^#include \"(controller|reconcilers)/")
  set(libraries "")
  foreach(include ${includes})
    string(REGEX REPLACE "^#include \".*/([a-z_]+)/[a-z_]+\\.h\"$" "galleryd_\\1" library ${include})
    list(APPEND libraries ${library})
  endforeach()
  list(REMOVE_DUPLICATES libraries)
  set(${out} ${libraries} PARENT_SCOPE)
endfunction()

# Preset `fuzz`: a libFuzzer binary for each tests/fuzz/NAME_fuzz.cc, build/fuzz/tests/NAME_fuzz. Each links the folders it
# includes and no others, so that one target can be built without the whole program.
function(galleryd_fuzz_binaries)
  file(GLOB targets CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/fuzz/*_fuzz.cc)
  add_library(galleryd_fuzz_support STATIC ${CMAKE_SOURCE_DIR}/tests/fuzz/target.cc ${CMAKE_SOURCE_DIR}/tests/fuzz/libfuzzer_entry.cc)
  target_link_libraries(galleryd_fuzz_support PUBLIC galleryd_documents galleryd_asio)   # Asio: the precompiled header names it
  target_precompile_headers(galleryd_fuzz_support REUSE_FROM galleryd_pch)
  add_library(galleryd_fuzz_planning STATIC
    ${CMAKE_SOURCE_DIR}/tests/unit/planning/random_estate.cc ${CMAKE_SOURCE_DIR}/tests/unit/planning/naive_reading.cc)
  target_link_libraries(galleryd_fuzz_planning PUBLIC galleryd_image_version)
  target_precompile_headers(galleryd_fuzz_planning REUSE_FROM galleryd_pch)
  add_custom_target(fuzz_binaries)
  foreach(target ${targets})
    get_filename_component(name ${target} NAME_WE)
    galleryd_included_folders(${target} libraries)
    if(name STREQUAL plan_fuzz)
      list(PREPEND libraries galleryd_fuzz_planning)
    endif()
    add_executable(${name} EXCLUDE_FROM_ALL ${target})
    target_link_libraries(${name} PRIVATE ${libraries} galleryd_fuzz_support)
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
    target_precompile_headers(${name} REUSE_FROM galleryd_pch)
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
    add_dependencies(fuzz_binaries ${name})
  endforeach()
endfunction()

# tests/unit/**, tests/plans, tests/simulation, tests/mutation, tests/fuzz become doctest binaries; tests/{integration,clients,lint}/*.py are
# ctest cases.
function(galleryd_tests)
  file(GLOB support CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/support/*.cc)
  add_library(galleryd_test_support STATIC ${support} ${CMAKE_SOURCE_DIR}/cmake/doctest_main.cc)
  target_link_libraries(galleryd_test_support PUBLIC galleryd_program doctest::doctest)
  target_precompile_headers(galleryd_test_support REUSE_FROM galleryd_pch)
  galleryd_simulation_support()
  foreach(group unit plans simulation mutation fuzz)
    file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/${group}/*.cc)
    if(group STREQUAL simulation)
      list(FILTER sources INCLUDE REGEX "_test\\.cc$")
    elseif(group STREQUAL "fuzz")   # corpora, mutations of them and large inputs, without libFuzzer
      list(FILTER sources EXCLUDE REGEX "/libfuzzer_entry\\.cc$")
      list(APPEND sources
        ${CMAKE_SOURCE_DIR}/tests/unit/planning/random_estate.cc ${CMAKE_SOURCE_DIR}/tests/unit/planning/naive_reading.cc)
    endif()
    if(sources)
      add_executable(${group}_tests ${sources})
      target_link_libraries(${group}_tests PRIVATE $<$<NOT:$<IN_LIST:${group},unit;plans>>:galleryd_simulation_support> galleryd_test_support)
      target_precompile_headers(${group}_tests REUSE_FROM galleryd_pch)
      set_target_properties(${group}_tests PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
      target_compile_definitions(${group}_tests PRIVATE GALLERYD_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
      if(group STREQUAL mutation)
        galleryd_mutation_tests()
      else()
        add_test(NAME ${group} COMMAND ${group}_tests)
      endif()
    endif()
  endforeach()
  file(GLOB tools CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/tools/*.cc)
  foreach(tool ${tools})   # tests/tools/replay.cc -> build/<preset>/tests/replay
    get_filename_component(name ${tool} NAME_WE)
    add_executable(${name} ${tool})
    target_link_libraries(${name} PRIVATE galleryd_program)
    target_precompile_headers(${name} REUSE_FROM galleryd_pch)
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  endforeach()
  file(GLOB lint CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/lint/*.py)
  foreach(script ${lint})
    get_filename_component(name ${script} NAME_WE)
    add_test(NAME lint.${name} COMMAND python3 ${script} ${CMAKE_SOURCE_DIR})
  endforeach()
  file(GLOB integration CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/integration/test_*.py)
  foreach(script ${integration})
    get_filename_component(name ${script} NAME_WE)
    string(REGEX REPLACE "^test_" "" name ${name})
    add_test(NAME integration.${name} COMMAND python3 ${script})
    set_tests_properties(integration.${name} PROPERTIES
      TIMEOUT 600 ENVIRONMENT "GALLERYD=$<IF:$<TARGET_EXISTS:galleryd>,${CMAKE_BINARY_DIR}/galleryd,>;GALLERYD_BUILD=${CMAKE_BINARY_DIR};GALLERYD_SOURCE=${CMAKE_SOURCE_DIR}")
  endforeach()
  # Clients that others wrote. Exit code 77: the client is not there (tests/clients/install); COST: the longest go first.
  file(GLOB clients CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/clients/test_*.py)
  foreach(script ${clients})
    get_filename_component(name ${script} NAME_WE)
    string(REGEX REPLACE "^test_" "" name ${name})
    add_test(NAME clients.${name} COMMAND python3 ${script})
    set_tests_properties(clients.${name} PROPERTIES
      TIMEOUT 600 SKIP_RETURN_CODE 77 COST 100
      ENVIRONMENT "GALLERYD=$<IF:$<TARGET_EXISTS:galleryd>,${CMAKE_BINARY_DIR}/galleryd,>;GALLERYD_BUILD=${CMAKE_BINARY_DIR};GALLERYD_SOURCE=${CMAKE_SOURCE_DIR}")
  endforeach()
endfunction()
