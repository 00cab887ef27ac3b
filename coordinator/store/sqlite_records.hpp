#pragma once

#include "base/result.hpp"
#include "coordinator/core/records.hpp"

/// The records of the core as rows, inside a transaction of the caller's. Internal to the store.
namespace penumbra::coordinator {

class SqliteConnection;

[[nodiscard]] Result<void> write_record(SqliteConnection& connection, const Record& record);
/// Everything but the epoch.
[[nodiscard]] Result<Image> read_image(SqliteConnection& connection);

}  // namespace penumbra::coordinator
