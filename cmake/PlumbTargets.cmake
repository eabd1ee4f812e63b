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

# The headers that most files pull in, parsed once: a clean build takes about half the time.
option(PLUMB_PRECOMPILE "Use a precompiled header" ON)
if(PLUMB_PRECOMPILE)
  file(WRITE ${PROJECT_BINARY_DIR}/precompiled.cc "")
  add_library(plumb_precompiled OBJECT ${PROJECT_BINARY_DIR}/precompiled.cc)
  target_include_directories(plumb_precompiled PRIVATE ${PROJECT_SOURCE_DIR}/sdk/include)
  target_link_libraries(plumb_precompiled PRIVATE plumb_options)
  target_precompile_headers(plumb_precompiled PRIVATE
    <algorithm> <chrono> <cstdint> <filesystem> <functional> <map> <memory> <optional> <string>
    <string_view> <thread> <unordered_map> <vector> <nlohmann/json.hpp>)
endif()

function(plumb_use_precompiled name)
  if(PLUMB_PRECOMPILE)
    target_precompile_headers(${name} REUSE_FROM plumb_precompiled)
  endif()
endfunction()

# plumb_library(NAME SOURCES file... DEPS target...): a static library of the core, included as
# "core/<dir>/<header>.h".
function(plumb_library name)
  cmake_parse_arguments(arg "" "" "SOURCES;DEPS" ${ARGN})
  add_library(${name} STATIC ${arg_SOURCES})
  target_include_directories(${name} PUBLIC ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name} PUBLIC ${arg_DEPS} PRIVATE plumb_options)
  plumb_use_precompiled(${name})
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
# LABELS defaults to "unit".
function(plumb_test name)
  if(NOT PLUMB_BUILD_TESTS)
    return()
  endif()
  cmake_parse_arguments(arg "SERIAL" "TIMEOUT" "SOURCES;DEPS;LABELS;RESOURCE_LOCK" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE ${arg_DEPS} GTest::gmock GTest::gtest_main plumb_options)
  target_compile_definitions(${name} PRIVATE PLUMB_SOURCE_DIR="${PROJECT_SOURCE_DIR}"
                                             PLUMB_BINARY_DIR="${PROJECT_BINARY_DIR}")
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
  add_test(NAME ${name} COMMAND ${name})
  if(NOT arg_LABELS)
    set(arg_LABELS unit)
  endif()
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 60)
  endif()
  set_tests_properties(${name} PROPERTIES LABELS "${arg_LABELS}" TIMEOUT ${arg_TIMEOUT})
  if(arg_RESOURCE_LOCK)
    set_tests_properties(${name} PROPERTIES RESOURCE_LOCK "${arg_RESOURCE_LOCK}")
  endif()
  if(arg_SERIAL)
    set_tests_properties(${name} PROPERTIES RUN_SERIAL TRUE)
  endif()
endfunction()
