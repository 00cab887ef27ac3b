#include <csignal>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <SQLiteCpp/SQLiteCpp.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/backoff.hpp"
#include "coordinator/store/sqlite_store.hpp"
#include "tests/contract/store/any_record.hpp"
#include "tests/support/result_matchers.hpp"
#include "tests/support/temporary_directory.hpp"

// What only SQLite can get wrong.
namespace penumbra::coordinator::contract {
namespace {

using testing::fails;
using testing::is_ok;

constexpr std::uint64_t kEventsPerBatch = 20;

class SqliteFile : public ::testing::Test {
 protected:
    SqliteStore store() { return SqliteStore({.file = file_}); }
    void change(const std::string& sql) { SQLite::Database(file_.string(), SQLite::OPEN_READWRITE).exec(sql); }

    testing::TemporaryDirectory directory_;
    std::filesystem::path file_ = directory_.path() / "store.db";
};

// Commits numbered batches for ever and says each one's number once it is durable.
[[noreturn]] void commit_until_killed(const std::filesystem::path& file, int told) {
    SqliteStore store({.file = file});
    const Result<Image> image = store.open({});
    if (!image.has_value()) ::_exit(2);
    std::uint64_t event = image->counters.event;
    for (std::uint64_t number = 1;; ++number) {
        Batch batch{number, {}};
        for (std::uint64_t left = kEventsPerBatch; left > 0; --left)
            batch.records.emplace_back(event_of(++event, std::string(500, 'x')));
        batch.records.emplace_back(Counters{.event = event});
        if (!store.commit(std::vector<Batch>{std::move(batch)}).has_value()) ::_exit(3);
        if (::write(told, &event, sizeof event) != sizeof event) ::_exit(4);
    }
}

TEST_F(SqliteFile, ShowsWholeBatchesOnlyAfterBeingKilled) {
    Random random(7);
    for (std::uint64_t round = 1; round <= 30; ++round) {
        int ends[2];
        ASSERT_EQ(::pipe(ends), 0);
        const pid_t child = ::fork();
        ASSERT_GE(child, 0);
        if (child == 0) commit_until_killed(file_, ends[1]);
        ::close(ends[1]);
        std::uint64_t acknowledged = 0;
        // killed while it works on the batch after the last one that it spoke of
        for (std::uint64_t left = uniform(random, 8); left > 0; --left)
            ASSERT_EQ(::read(ends[0], &acknowledged, sizeof acknowledged), static_cast<ssize_t>(sizeof acknowledged));
        const volatile std::uint64_t spin = uniform(random, 300'000);
        for (std::uint64_t turn = 0; turn < spin; ++turn)
            asm volatile("");
        ASSERT_EQ(::kill(child, SIGKILL), 0);
        ASSERT_EQ(::waitpid(child, nullptr, 0), child);
        ::close(ends[0]);

        SqliteStore store({.file = file_});
        const Result<Image> image = store.open({});
        ASSERT_TRUE(is_ok(image));
        const auto events = store.events(0, 1'000'000);
        ASSERT_TRUE(is_ok(events));
        EXPECT_GE(image->counters.event, acknowledged);
        EXPECT_EQ(events->size(), image->counters.event);
        EXPECT_EQ(events->size() % kEventsPerBatch, 0U);
        EXPECT_GE(image->epoch, Epoch(round));
    }
}

TEST_F(SqliteFile, RefusesALaterSchema) {
    ASSERT_TRUE(is_ok(store().open({})));
    change("PRAGMA user_version = 99");
    EXPECT_TRUE(fails(store().open({}), ErrorCode::kUnsupported, "later penumbra (schema 99"));
}

TEST_F(SqliteFile, RefusesWhatIsNotItsOwn) {
    SQLite::Database(file_.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE).exec("CREATE TABLE theirs (a)");
    EXPECT_TRUE(fails(store().open({}), ErrorCode::kUnsupported, "no store of a penumbra-coordinator"));
    std::ofstream(file_, std::ios::trunc) << std::string(8192, 'x');
    EXPECT_TRUE(fails(store().open({}), ErrorCode::kDataLoss, "damaged"));
}

TEST_F(SqliteFile, RefusesADamagedFile) {
    {
        SqliteStore writer({.file = file_});
        ASSERT_TRUE(is_ok(writer.open({})));
        Batch batch{1, {}};
        for (std::uint64_t sequence = 1; sequence <= 200; ++sequence)
            batch.records.emplace_back(event_of(sequence, std::string(500, 'x')));
        ASSERT_TRUE(is_ok(writer.commit(std::vector<Batch>{batch})));
    }
    {
        std::fstream damage(file_, std::ios::in | std::ios::out | std::ios::binary);
        damage.seekp(-3 * 4096, std::ios::end);
        damage << std::string(4096, '\xff');
    }
    EXPECT_TRUE(fails(store().open({}), ErrorCode::kDataLoss, "restore a copy"));
}

TEST_F(SqliteFile, SaysWhereItCannotWrite) {
    EXPECT_TRUE(fails(SqliteStore({.file = directory_.path() / "none" / "store.db"}).open({}),
                      ErrorCode::kPermissionDenied, "none/store.db"));
}

TEST_F(SqliteFile, LeavesNoSharedMemoryFileThatASecondProcessCouldJoin) {
    SqliteStore open({.file = file_});
    ASSERT_TRUE(is_ok(open.open({})));
    EXPECT_TRUE(std::filesystem::exists(file_.string() + "-wal"));
    EXPECT_FALSE(std::filesystem::exists(file_.string() + "-shm"));
}

}  // namespace
}  // namespace penumbra::coordinator::contract
