#include "read_only_vfs.h"

#include <sqlite3.h>

namespace plumb::sqlite_inspect {
namespace {

constexpr char kName[] = "plumb-read-only";

sqlite3_vfs* g_system = nullptr;
sqlite3_vfs g_read_only;

int open_to_read(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  file->pMethods = nullptr;
  // A temporary file: everything of that kind is kept in memory.
  if (name == nullptr || (flags & SQLITE_OPEN_DELETEONCLOSE) != 0) return SQLITE_CANTOPEN;
  flags &= ~(SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_EXCLUSIVE);
  return g_system->xOpen(g_system, name, file, flags | SQLITE_OPEN_READONLY, out_flags);
}

int refuse_delete(sqlite3_vfs*, const char*, int) { return SQLITE_READONLY; }

}  // namespace

const char* register_read_only_vfs() {
  g_system = sqlite3_vfs_find(nullptr);
  if (g_system == nullptr) return nullptr;
  g_read_only = *g_system;
  g_read_only.pNext = nullptr;
  g_read_only.zName = kName;
  g_read_only.xOpen = open_to_read;
  g_read_only.xDelete = refuse_delete;
  return sqlite3_vfs_register(&g_read_only, 0) == SQLITE_OK ? kName : nullptr;
}

}  // namespace plumb::sqlite_inspect
