# plumb_add_plugin(NAME SOURCES file... [DEPS target...] [RULES file...] [SIGNALS file]
#                  [OUTPUT_DIRECTORY dir]):
# builds NAME.so as a plumb plugin (hidden visibility, no undefined symbols, one export), writes its
# sidecar manifest NAME.plugin.json beside it, and copies its rules to NAME.rules/ and
# the list of its series to NAME.signals.yaml.
set(PLUMB_PLUGIN_VERSION_SCRIPT ${CMAKE_CURRENT_LIST_DIR}/plumb_plugin.map)

function(plumb_add_plugin name)
  cmake_parse_arguments(arg "" "OUTPUT_DIRECTORY;SIGNALS" "SOURCES;DEPS;RULES" ${ARGN})
  if(NOT arg_OUTPUT_DIRECTORY)
    set(arg_OUTPUT_DIRECTORY ${PLUMB_PLUGIN_OUTPUT_DIRECTORY})
  endif()
  add_library(${name} MODULE ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE plumb::sdk ${arg_DEPS})
  if(TARGET plumb_options)
    target_link_libraries(${name} PRIVATE plumb_options)
    target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
  endif()
  set_target_properties(${name} PROPERTIES
    PREFIX "" CXX_VISIBILITY_PRESET hidden C_VISIBILITY_PRESET hidden
    VISIBILITY_INLINES_HIDDEN ON
    LIBRARY_OUTPUT_DIRECTORY ${arg_OUTPUT_DIRECTORY}
    LINK_DEPENDS ${PLUMB_PLUGIN_VERSION_SCRIPT})
  target_compile_options(${name} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-fno-gnu-unique>)
  target_link_options(${name} PRIVATE
    "LINKER:--version-script=${PLUMB_PLUGIN_VERSION_SCRIPT}")
  # A sanitizer's runtime lives in the executable, so its symbols stay undefined here.
  if(NOT PLUMB_SANITIZE)
    target_link_options(${name} PRIVATE "LINKER:-z,defs")
  endif()
  add_custom_command(TARGET ${name} POST_BUILD
    COMMAND plumb-host --describe $<TARGET_FILE:${name}>
            --output ${arg_OUTPUT_DIRECTORY}/${name}.plugin.json
    VERBATIM)
  add_dependencies(${name} plumb-host)
  foreach(rule IN LISTS arg_RULES)
    get_filename_component(rule_name ${rule} NAME)
    configure_file(${rule} ${arg_OUTPUT_DIRECTORY}/${name}.rules/${rule_name} COPYONLY)
  endforeach()
  if(arg_SIGNALS)
    configure_file(${arg_SIGNALS} ${arg_OUTPUT_DIRECTORY}/${name}.signals.yaml COPYONLY)
  endif()
endfunction()
