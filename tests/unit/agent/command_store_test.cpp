#include "agent/store/command_store.hpp"

#include <algorithm>
#include <cerrno>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "journal/fake/memory_directory.hpp"
#include "tests/support/result_matchers.hpp"

namespace penumbra::agent {
namespace {

using journal::fake::CrashPoints;
using journal::fake::Cut;
using journal::fake::MemoryDirectory;
using journal::fake::Unsynced;
using penumbra::testing::fails;
using penumbra::testing::is_ok;

model::Command command(const std::string& id, std::uint64_t fence, const std::string& resource = "vm:shop") {
    return {.id = CommandId(id),
            .epoch = Epoch(3),
            .resource = ResourceId(resource),
            .fence = Fence(fence),
            .operation = model::ReplicateGroup{.group = GroupId("shop")}};
}
model::CommandReport report(const std::string& id) {
    return {.command = CommandId(id), .state = model::CommandState::kFailed, .message = "no room: 7 % free"};
}

/// What a host's day leaves behind: every kind of record.
std::vector<JournalRecord> a_day() {
    return {EpochSeen{Epoch(3)},
            CommandAccepted{command("c1", 5)},
            CommandAccepted{command("c2", 6, "shadow:s1")},
            CommandFinished{report("c1")},
            CommandForgotten{CommandId("c1")},
            CommandAccepted{command("c3", 7)},
            FenceForgotten{.resource = ResourceId("shadow:s1"), .floor = Fence(6)},
            EpochSeen{Epoch(4)},
            CommandFinished{report("c2")},
            CommandFinished{report("c3")},
            CommandForgotten{CommandId("c3")}};
}
JournalImage folded(const std::vector<JournalRecord>& records, std::size_t count) {
    JournalImage image;
    for (std::size_t at = 0; at < count; ++at)
        fold(image, records[at]);
    std::ranges::sort(image.commands, {}, [](const auto& entry) { return entry.command.id; });
    return image;
}

class CommandStoreTest : public ::testing::Test {
 protected:
    CrashPoints points_;
    MemoryDirectory disk_{points_};
};

TEST_F(CommandStoreTest, BeginsEmpty) {
    const Result<JournalImage> image = CommandStore(disk_).load();
    ASSERT_TRUE(is_ok(image));
    EXPECT_EQ(*image, JournalImage{});
}

TEST_F(CommandStoreTest, ReadsBackWhatTheCoreFolds) {
    const std::vector<JournalRecord> records = a_day();
    CommandStore store(disk_);
    for (std::size_t count = 0; count < records.size(); ++count) {
        ASSERT_TRUE(is_ok(store.record(records[count])));
        const Result<JournalImage> image = CommandStore(disk_).load();
        ASSERT_TRUE(is_ok(image));
        EXPECT_EQ(*image, folded(records, count + 1)) << "after record " << count;
    }
}

// What was recorded is there after any cut; the record under way is there whole or not at all.
TEST_F(CommandStoreTest, IsOldOrNewAfterEveryCut) {
    const std::vector<JournalRecord> records = a_day();
    for (const Unsynced unsynced : {Unsynced::kLost, Unsynced::kTorn, Unsynced::kKept}) {
        bool finished = false;
        for (std::size_t index = 0; !finished; ++index) {
            MemoryDirectory disk(points_);
            CommandStore store(disk);
            std::size_t done = 0;
            std::string where = "nowhere";
            points_.cut_at(index);
            try {
                for (; done < records.size(); ++done)
                    ASSERT_TRUE(is_ok(store.record(records[done])));
                finished = true;
            } catch (const Cut& cut) {
                where = cut.where;
            }
            points_.cut_at({});
            disk.cut_power(unsynced);
            const Result<JournalImage> image = CommandStore(disk).load();
            ASSERT_TRUE(is_ok(image)) << where << " of record " << done;
            const std::size_t next = std::min(done + 1, records.size());
            EXPECT_TRUE(*image == folded(records, done) || *image == folded(records, next))
                << where << " of record " << done;
        }
    }
}

TEST_F(CommandStoreTest, SaysWhichFileIsDamaged) {
    CommandStore store(disk_);
    for (const JournalRecord& record : {a_day()[0], a_day()[1]})
        ASSERT_TRUE(is_ok(store.record(record)));
    disk_.corrupt("c1.command", "penumbra-command 1\nsha256 00\n");
    EXPECT_TRUE(fails(CommandStore(disk_).load(), ErrorCode::kDataLoss, "c1.command"));
}

TEST_F(CommandStoreTest, DoesNotForgetFencesWithALostFile) {
    CommandStore store(disk_);
    for (const JournalRecord& record : {a_day()[0], a_day()[1]})
        ASSERT_TRUE(is_ok(store.record(record)));
    ASSERT_TRUE(is_ok(disk_.remove("fences")));
    EXPECT_TRUE(fails(CommandStore(disk_).load(), ErrorCode::kDataLoss, "fences"));
}

TEST_F(CommandStoreTest, SaysThatTheDiskIsFull) {
    CommandStore store(disk_);
    disk_.refuse_with(ENOSPC);
    EXPECT_TRUE(fails(store.record(a_day()[0]), ErrorCode::kResourceExhausted));
}

}  // namespace
}  // namespace penumbra::agent
