#include "coordinator/store/sqlite_connection.hpp"

#include <memory>

#include <sqlite3.h>

#include "coordinator/store/schema.hpp"

namespace penumbra::coordinator {

namespace {

constexpr std::int64_t kApplicationId = 0x50454e55;  // "PENU", in the file's header
constexpr std::uint64_t kPageBytes = 4096;

}  // namespace

Error SqliteConnection::explain(std::string_view doing, const SQLite::Exception& error) const {
    const auto say = [&](ErrorCode code, std::string_view remedy) {
        return Error{.code = code,
                     .message = fmt::format("{} in {}: {}: {}", doing, file_.string(), error.what(), remedy)};
    };
    switch (error.getErrorCode() & 0xff) {
        case SQLITE_FULL:
            return say(ErrorCode::kResourceExhausted, "nothing of it was stored; free some space on that disk");
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
            return say(ErrorCode::kUnavailable, "another coordinator has it open; stop that one first");
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB:
            return say(ErrorCode::kDataLoss, "the file is damaged; restore a copy of it");
        case SQLITE_CANTOPEN:
        case SQLITE_READONLY:
        case SQLITE_PERM:
            return say(ErrorCode::kPermissionDenied, "this user must be able to write the file and its folder");
        case SQLITE_IOERR:
            return say(ErrorCode::kUnavailable, "nothing of it was stored; look at the disk (dmesg)");
        default:
            return say(ErrorCode::kInternal, "a defect of penumbra; nothing of it was stored");
    }
}

Result<std::unique_ptr<SqliteConnection>> SqliteConnection::open(const std::filesystem::path& file,
                                                                 std::uint64_t bytes_max) {
    std::unique_ptr<SqliteConnection> connection;
    try {
        connection.reset(new SqliteConnection(
            file, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE | SQLite::OPEN_NOMUTEX | SQLite::OPEN_NOFOLLOW));
    } catch (const SQLite::Exception& error) {
        return fail(ErrorCode::kPermissionDenied,
                    fmt::format("opening {}: {}: this user must be able to write the file and its folder",
                                file.string(), error.what()));
    }
    try {
        TRY(connection->prepare_file(bytes_max));
        TRY(connection->migrate());
    } catch (const SQLite::Exception& error) {
        return tl::unexpected(connection->explain("opening the store", error));
    }
    return connection;
}

Result<void> SqliteConnection::prepare_file(std::uint64_t bytes_max) {
    // Exclusive before anything is read: then WAL's index is on the heap, and no second process gets in (the WAL-reset
    // defect of SQLite up to 3.51.2 needs a second connection).
    database_.exec("PRAGMA locking_mode = EXCLUSIVE");
    database_.exec("PRAGMA journal_mode = WAL");
    database_.exec("PRAGMA synchronous = FULL");
    database_.exec("PRAGMA trusted_schema = OFF");
    database_.exec(fmt::format("PRAGMA max_page_count = {}", bytes_max / kPageBytes));
    const std::string checked = database_.execAndGet("PRAGMA quick_check(1)").getString();
    if (checked != "ok") {
        return fail(ErrorCode::kDataLoss,
                    fmt::format("{} is damaged: {}: restore a copy of it", file_.string(), checked));
    }
    return {};
}

Result<void> SqliteConnection::migrate() {
    const std::int64_t version = database_.execAndGet("PRAGMA user_version").getInt64();
    const std::int64_t application = database_.execAndGet("PRAGMA application_id").getInt64();
    const auto known = static_cast<std::int64_t>(kSchemaScripts.size());
    if (version > known) {
        return fail(ErrorCode::kUnsupported,
                    fmt::format("{} was written by a later penumbra (schema {}, this one knows {}): install that one",
                                file_.string(), version, known));
    }
    const bool is_empty = database_.execAndGet("SELECT count(*) FROM sqlite_schema").getInt64() == 0;
    if (!is_empty && application != kApplicationId) {
        return fail(ErrorCode::kUnsupported,
                    fmt::format("{} is no store of a penumbra-coordinator: name another file", file_.string()));
    }
    for (std::int64_t next = version; next < known; ++next) {
        SQLite::Transaction transaction(database_, SQLite::TransactionBehavior::IMMEDIATE);
        database_.exec(kSchemaScripts.at(static_cast<std::size_t>(next)));
        database_.exec(fmt::format("PRAGMA user_version = {}", next + 1));
        database_.exec(fmt::format("PRAGMA application_id = {}", kApplicationId));
        transaction.commit();
    }
    return {};
}

SQLite::Statement& SqliteConnection::prepared(const char* sql) {
    auto found = statements_.find(sql);
    if (found == statements_.end()) found = statements_.try_emplace(sql, database_, sql).first;
    // not reset(), which throws what the last run failed of
    static_cast<void>(found->second.tryReset());
    found->second.clearBindings();
    return found->second;
}

}  // namespace penumbra::coordinator
