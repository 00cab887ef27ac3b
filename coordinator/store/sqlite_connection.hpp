#pragma once

#include <concepts>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <SQLiteCpp/SQLiteCpp.h>
#include <fmt/format.h>

#include "base/clock.hpp"
#include "base/ids.hpp"
#include "base/result.hpp"

namespace penumbra::coordinator {

/// Bytes as a BLOB, where a std::string alone would be TEXT.
struct Blob {
    std::string bytes;
};

/// The columns of a row from left to right.
class Row {
 public:
    explicit Row(SQLite::Statement& statement) : statement_(statement) {}

    [[nodiscard]] std::string text() { return statement_.getColumn(next_++).getString(); }
    template <class Identifier>
    [[nodiscard]] Identifier id() {
        return Identifier(text());
    }
    [[nodiscard]] std::int64_t number() { return statement_.getColumn(next_++).getInt64(); }
    [[nodiscard]] std::uint64_t count() { return static_cast<std::uint64_t>(number()); }
    [[nodiscard]] bool flag() { return number() != 0; }
    [[nodiscard]] double real() { return statement_.getColumn(next_++).getDouble(); }
    [[nodiscard]] WallTime time() { return WallTime(std::chrono::milliseconds(number())); }
    [[nodiscard]] bool is_null() const { return statement_.getColumn(next_).isNull(); }
    /// Valid until the statement's next step.
    [[nodiscard]] std::string_view blob() {
        const SQLite::Column column = statement_.getColumn(next_++);
        return {static_cast<const char*>(column.getBlob()), static_cast<std::size_t>(column.getBytes())};
    }

 private:
    SQLite::Statement& statement_;
    int next_ = 0;
};

/// One SQLite database, open for us alone, at this version's schema. Only SQLite::Exception leaves its calls: whole
/// transactions stand inside within(). Internal to the store.
class SqliteConnection {
 public:
    /// Opens or makes the file, takes it for this process, checks it and brings its schema up to date.
    [[nodiscard]] static Result<std::unique_ptr<SqliteConnection>> open(const std::filesystem::path& file,
                                                                        std::uint64_t bytes_max);

    /// Runs a statement to its end; how many rows it changed.
    template <class... Values>
    int run(const char* sql, const Values&... values) {
        return query(sql, values...).exec();
    }
    /// `take(Row&) -> Result<void>` of each row, in order, up to the first error.
    template <class Take, class... Values>
    [[nodiscard]] Result<void> each(Take take, const char* sql, const Values&... values) {
        SQLite::Statement& statement = query(sql, values...);
        Result<void> taken;
        while (taken.has_value() && statement.executeStep()) {
            Row row(statement);
            taken = take(row);
        }
        static_cast<void>(statement.tryReset());  // an open row would hold the transaction
        return taken;
    }

    /// `work` as one transaction: all of it or, on its error or SQLite's, nothing.
    template <class Work>
    std::invoke_result_t<Work> within(std::string_view doing, Work work) {
        try {
            SQLite::Transaction transaction(database_, SQLite::TransactionBehavior::IMMEDIATE);
            auto done = work();
            if (done.has_value()) transaction.commit();
            return done;
        } catch (const SQLite::Exception& error) {
            return tl::unexpected(explain(doing, error));
        }
    }

 private:
    SqliteConnection(const std::filesystem::path& file, int flags) : file_(file), database_(file, flags) {}
    [[nodiscard]] Result<void> prepare_file(std::uint64_t bytes_max);
    [[nodiscard]] Result<void> migrate();
    [[nodiscard]] Error explain(std::string_view doing, const SQLite::Exception& error) const;
    SQLite::Statement& prepared(const char* sql);
    template <class... Values>
    SQLite::Statement& query(const char* sql, const Values&... values) {
        SQLite::Statement& statement = prepared(sql);
        int index = 0;  // NOLINT(misc-const-correctness): the fold counts it up
        (bind(statement, ++index, values), ...);
        return statement;
    }

    static void bind(SQLite::Statement& statement, int index, const std::string& value) {
        statement.bind(index, value);
    }
    template <class Tag>
    static void bind(SQLite::Statement& statement, int index, const Id<Tag>& value) {
        statement.bind(index, value.text());
    }
    template <std::integral Number>
    static void bind(SQLite::Statement& statement, int index, Number value) {
        statement.bind(index, static_cast<std::int64_t>(value));
    }
    template <class Enum>
        requires std::is_enum_v<Enum>
    static void bind(SQLite::Statement& statement, int index, Enum value) {
        statement.bind(index, static_cast<std::int64_t>(value));
    }
    static void bind(SQLite::Statement& statement, int index, double value) { statement.bind(index, value); }
    static void bind(SQLite::Statement& statement, int index, WallTime value) {
        statement.bind(index, static_cast<std::int64_t>(value.time_since_epoch().count()));
    }
    static void bind(SQLite::Statement& statement, int index, const Blob& value) {
        statement.bind(index, value.bytes.data(), static_cast<int>(value.bytes.size()));
    }
    static void bind(SQLite::Statement& statement, int index, const std::optional<Blob>& value) {
        if (value.has_value()) bind(statement, index, *value);
    }

    const std::filesystem::path file_;
    SQLite::Database database_;
    std::map<const char*, SQLite::Statement> statements_;  // gone before the database they belong to
};

}  // namespace penumbra::coordinator
