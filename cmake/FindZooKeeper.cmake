# Debian's libzookeeper-st-dev has neither a .pc nor a CMake file. Target: ZooKeeper::zookeeper_st (static archive).
find_path(ZooKeeper_INCLUDE_DIR zookeeper/zookeeper.h)
find_library(ZooKeeper_LIBRARY NAMES libzookeeper_st.a zookeeper_st)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(ZooKeeper REQUIRED_VARS ZooKeeper_LIBRARY ZooKeeper_INCLUDE_DIR)
if(ZooKeeper_FOUND AND NOT TARGET ZooKeeper::zookeeper_st)
  add_library(ZooKeeper::zookeeper_st UNKNOWN IMPORTED)
  set_target_properties(ZooKeeper::zookeeper_st PROPERTIES IMPORTED_LOCATION ${ZooKeeper_LIBRARY}
                        INTERFACE_INCLUDE_DIRECTORIES ${ZooKeeper_INCLUDE_DIR} INTERFACE_LINK_LIBRARIES m)
endif()
