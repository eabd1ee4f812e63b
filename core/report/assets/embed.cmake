# Reads the page's assets and computes the hashes that its content security policy names.

# "sha256-<base64>" of a text. CMake gives digests in hexadecimal only: three bytes, six digits, are
# four characters of base64.
function(plumb_policy_hash text_variable out)
  set(alphabet "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
  string(SHA256 digits "${${text_variable}}")
  set(base64 "")
  foreach(at RANGE 0 54 6)
    string(SUBSTRING "${digits}" ${at} 6 group)
    math(EXPR bits "0x${group}")
    foreach(shift 18 12 6 0)
      math(EXPR index "(${bits} >> ${shift}) & 63")
      string(SUBSTRING "${alphabet}" ${index} 1 character)
      string(APPEND base64 "${character}")
    endforeach()
  endforeach()
  # 32 bytes are ten groups and two bytes more, which make three characters and a filler.
  string(SUBSTRING "${digits}" 60 4 group)
  math(EXPR bits "0x${group} << 2")
  foreach(shift 12 6 0)
    math(EXPR index "(${bits} >> ${shift}) & 63")
    string(SUBSTRING "${alphabet}" ${index} 1 character)
    string(APPEND base64 "${character}")
  endforeach()
  set(${out} "sha256-${base64}=" PARENT_SCOPE)
endfunction()

function(plumb_embed_assets directory output)
  file(READ ${directory}/report.css style_sheet)
  file(READ ${directory}/report.js script)
  plumb_policy_hash(style_sheet style_sheet_hash)
  plumb_policy_hash(script script_hash)
  configure_file(${directory}/assets.cc.in ${output} @ONLY)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
               ${directory}/report.css ${directory}/report.js)
endfunction()
