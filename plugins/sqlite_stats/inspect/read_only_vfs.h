// An SQLite VFS that opens files for reading only and deletes none.
//
// mode=ro alone does not do that: SQLite would still create and write the -wal and -shm files of a
// database in WAL mode.
#ifndef PLUMB_PLUGINS_SQLITE_STATS_INSPECT_READ_ONLY_VFS_H_
#define PLUMB_PLUGINS_SQLITE_STATS_INSPECT_READ_ONLY_VFS_H_

namespace plumb::sqlite_inspect {

// Registers it and gives its name back; null when SQLite has no default VFS. Once per process.
const char* register_read_only_vfs();

}  // namespace plumb::sqlite_inspect

#endif  // PLUMB_PLUGINS_SQLITE_STATS_INSPECT_READ_ONLY_VFS_H_
