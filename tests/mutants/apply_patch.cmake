# Copies FILES (a list, from ROOT) into TREE and applies PATCH there: every hunk, and only where it was made for.
string(REPLACE " " ";" FILES "${FILES}")
file(REMOVE_RECURSE ${TREE})
foreach(file ${FILES})
  get_filename_component(folder ${TREE}/${file} DIRECTORY)
  file(MAKE_DIRECTORY ${folder})
  file(COPY_FILE ${ROOT}/${file} ${TREE}/${file})
endforeach()
execute_process(
  COMMAND ${PATCH_PROGRAM} --strip=1 --fuzz=0 --forward --batch --no-backup-if-mismatch --reject-file=- --input=${PATCH}
  WORKING_DIRECTORY ${TREE} RESULT_VARIABLE failed OUTPUT_VARIABLE output ERROR_VARIABLE output)
if(failed)
  file(REMOVE_RECURSE ${TREE})
  message(FATAL_ERROR "${PATCH} does not apply any more; make it anew for the code as it is.\n${output}")
endif()
