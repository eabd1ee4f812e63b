# How every target of the project is built: one place for warnings, sanitizers and test wiring.

add_library(plumb_options INTERFACE)
target_compile_options(plumb_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow $<$<COMPILE_LANGUAGE:CXX>:-Wnon-virtual-dtor> -Wundef
  # GCC 12, optimising, sees overlapping and overlong copies in std::string where there are none
  # (GCC bugs 105329 and 105651). The sanitizers look for real ones.
  $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict;-Wno-array-bounds;-Wno-stringop-overflow;-Wno-stringop-overread>
  $<$<BOOL:${PLUMB_WERROR}>:-Werror>)
if(PLUMB_SANITIZE)
  target_compile_options(plumb_options INTERFACE
    -fsanitize=${PLUMB_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(plumb_options INTERFACE -fsanitize=${PLUMB_SANITIZE})
  # Asio's fences are unknown to ThreadSanitizer, which is a warning only.
  if(PLUMB_SANITIZE MATCHES thread)
    target_compile_options(plumb_options INTERFACE -Wno-tsan)
  endif()
endif()

# Headers parsed once instead of once per file: the set `common` for libraries, and `test`, which adds
# the test framework. With the unity builds of the presets a clean build takes less than half the time.
option(PLUMB_PRECOMPILE "Use precompiled headers" ON)

# plumb_precompiled(SET HEADERS header... [DEPS target...] [DEFINITIONS NAME=value...]
#                   [OPTIONS flag...])
function(plumb_precompiled set)
  cmake_parse_arguments(arg "" "" "HEADERS;DEPS;DEFINITIONS;OPTIONS" ${ARGN})
  if(NOT PLUMB_PRECOMPILE)
    return()
  endif()
  file(WRITE ${PROJECT_BINARY_DIR}/precompiled/${set}.cc "")
  add_library(plumb_precompiled_${set} OBJECT ${PROJECT_BINARY_DIR}/precompiled/${set}.cc)
  target_link_libraries(plumb_precompiled_${set} PRIVATE ${arg_DEPS} plumb_options)
  target_compile_definitions(plumb_precompiled_${set} PRIVATE ${arg_DEFINITIONS})
  target_compile_options(plumb_precompiled_${set} PRIVATE ${arg_OPTIONS})
  target_precompile_headers(plumb_precompiled_${set} PRIVATE
    <algorithm> <chrono> <cstdint> <filesystem> <functional> <map> <memory> <optional> <string>
    <string_view> <thread> <unordered_map> <vector> <nlohmann/json.hpp> ${arg_HEADERS})
endfunction()

set(plumb_test_definitions PLUMB_SOURCE_DIR="${PROJECT_SOURCE_DIR}"
                           PLUMB_BINARY_DIR="${PROJECT_BINARY_DIR}")
# What is tested is optimised as released; the tests themselves need not be, and compile faster.
set(plumb_test_options $<$<CONFIG:Release>:-O0>)
plumb_precompiled(common)
if(PLUMB_BUILD_TESTS)
  plumb_precompiled(test HEADERS <gmock/gmock.h> <gtest/gtest.h> DEPS GTest::gmock
                    DEFINITIONS ${plumb_test_definitions} OPTIONS ${plumb_test_options})
endif()

function(plumb_use_precompiled name set)
  if(PLUMB_PRECOMPILE)
    target_precompile_headers(${name} REUSE_FROM plumb_precompiled_${set})
    # As the set was compiled; CMake gives executables -fPIE.
    target_compile_options(${name} PRIVATE -fPIC)
  endif()
endfunction()

# plumb_library(NAME SOURCES file... DEPS target...): a static library of the core, included as
# "core/<dir>/<header>.h".
function(plumb_library name)
  cmake_parse_arguments(arg "" "" "SOURCES;DEPS" ${ARGN})
  add_library(${name} STATIC ${arg_SOURCES})
  target_include_directories(${name} PUBLIC ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name} PUBLIC ${arg_DEPS} PRIVATE plumb_options)
  plumb_use_precompiled(${name} common)
endfunction()

# plumb_executable(NAME SOURCES file... DEPS target...)
function(plumb_executable name)
  cmake_parse_arguments(arg "" "" "SOURCES;DEPS" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE ${arg_DEPS} plumb_options)
endfunction()

# plumb_test(NAME SOURCES file... DEPS target... [LABELS label...] [TIMEOUT seconds]
#            [RESOURCE_LOCK name...] [SERIAL]):
# one GoogleTest binary, one CTest case per binary, so that a suite with a costly set-up pays once.
# LABELS defaults to "unit". Tests of the label "integration" measure real programs: what fails while
# the hypervisor keeps the processors is run again (tests/support/measuring_main.cc).
function(plumb_test name)
  if(NOT PLUMB_BUILD_TESTS)
    return()
  endif()
  cmake_parse_arguments(arg "SERIAL" "TIMEOUT" "SOURCES;DEPS;LABELS;RESOURCE_LOCK" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
  if(NOT arg_LABELS)
    set(arg_LABELS unit)
  endif()
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 240)
  endif()
  if("integration" IN_LIST arg_LABELS)
    set(main plumb_test_measuring_main)
    math(EXPR arg_TIMEOUT "${arg_TIMEOUT} * 3")
  else()
    set(main GTest::gtest_main)
  endif()
  target_link_libraries(${name} PRIVATE ${arg_DEPS} GTest::gmock ${main} plumb_options)
  target_compile_definitions(${name} PRIVATE ${plumb_test_definitions})
  target_compile_options(${name} PRIVATE ${plumb_test_options})
  plumb_use_precompiled(${name} test)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
  add_test(NAME ${name} COMMAND ${name})
  if(PLUMB_SANITIZE)
    math(EXPR arg_TIMEOUT "${arg_TIMEOUT} * 5")
  endif()
  set_tests_properties(${name} PROPERTIES LABELS "${arg_LABELS}" TIMEOUT ${arg_TIMEOUT}
                                               SKIP_RETURN_CODE 77)
  if(arg_RESOURCE_LOCK)
    set_tests_properties(${name} PROPERTIES RESOURCE_LOCK "${arg_RESOURCE_LOCK}")
  endif()
  if(arg_SERIAL)
    set_tests_properties(${name} PROPERTIES RUN_SERIAL TRUE)
  endif()
endfunction()
