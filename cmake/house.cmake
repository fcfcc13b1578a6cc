# Rules that every folder of the house follows.

option(FAIRLEAD_SANITIZE "Build with AddressSanitizer and UndefinedBehaviorSanitizer" OFF)
option(FAIRLEAD_FUZZ "Build the libFuzzer targets (clang only)" OFF)
option(FAIRLEAD_WERROR "Warnings are errors" ON)

add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wmissing-prototypes -Wstrict-prototypes -Wvla -Wpointer-arith
                    -fno-strict-aliasing -fvisibility=hidden)
add_compile_options(-Wno-missing-field-initializers -Wno-unused-parameter -Wno-variadic-macros)
if(CMAKE_C_COMPILER_ID MATCHES Clang)
  add_compile_options(-Wno-gnu-zero-variadic-macro-arguments)
endif()
if(FAIRLEAD_WERROR)
  add_compile_options(-Werror)
endif()
if(FAIRLEAD_SANITIZE)
  add_compile_options(-fsanitize=address,undefined -fno-omit-frame-pointer -fno-sanitize-recover=undefined)
  add_link_options(-fsanitize=address,undefined)
elseif(NOT CMAKE_BUILD_TYPE STREQUAL "Debug")
  add_compile_options(-fstack-protector-strong -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
  add_link_options(-Wl,-z,relro,-z,now)
endif()
add_compile_definitions(_GNU_SOURCE FAIRLEAD_VERSION="${PROJECT_VERSION}")

set(CMAKE_C_FLAGS_RELEASE "-O2")

# Generated headers (<fairlead/types.h>, <fairlead/version.h>) land here.
set(FAIRLEAD_GEN_DIR ${CMAKE_BINARY_DIR}/gen)

# fairlead_layer(NAME [SOURCES …] [DEPENDS …] [LINKS …]): the static library fl_NAME of a folder, all its *.c by default
# except main.c. DEPENDS are layers below, LINKS are packages.
function(fairlead_layer name)
  cmake_parse_arguments(A "" "" "SOURCES;DEPENDS;LINKS" ${ARGN})
  if(NOT A_SOURCES)
    file(GLOB A_SOURCES CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.c)
    list(REMOVE_ITEM A_SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/main.c)
  endif()
  add_library(fl_${name} STATIC ${A_SOURCES})
  target_include_directories(fl_${name} PUBLIC ${CMAKE_SOURCE_DIR} ${FAIRLEAD_GEN_DIR}
                             ${CMAKE_SOURCE_DIR}/framework-sdk/include)
  foreach(dep ${A_DEPENDS})
    target_link_libraries(fl_${name} PUBLIC fl_${dep})
  endforeach()
  target_link_libraries(fl_${name} PRIVATE ${A_LINKS})
  if(NOT name STREQUAL "base" AND TARGET fl_types)
    add_dependencies(fl_${name} fl_types)
  endif()
endfunction()
