#include "journal/journal.hpp"

#include <cerrno>

#include <gtest/gtest.h>

#include "journal/fake/memory_directory.hpp"
#include "tests/support/result_matchers.hpp"
#include "tests/unit/journal/sample_entry.hpp"

namespace penumbra::journal {
namespace {

using fake::CrashPoints;
using fake::Cut;
using fake::MemoryDirectory;
using fake::Unsynced;
using penumbra::testing::fails;
using penumbra::testing::is_ok;

Entry entry_in(model::EffectState state) {
    Entry entry = sample_entry("e1");
    entry.state = state;
    return entry;
}

class JournalTest : public ::testing::Test {
 protected:
    CrashPoints points_;
    MemoryDirectory disk_{points_};
    Journal journal_{disk_};
};

TEST_F(JournalTest, KeepsWhatWasPutLast) {
    ASSERT_TRUE(is_ok(journal_.put(entry_in(model::EffectState::kIntended))));
    ASSERT_TRUE(is_ok(journal_.put(entry_in(model::EffectState::kVerified))));
    ASSERT_TRUE(is_ok(journal_.put(sample_entry("e0"))));
    const Result<Contents> contents = journal_.read_all();
    ASSERT_TRUE(is_ok(contents));
    ASSERT_EQ(contents->entries.size(), 2U);
    EXPECT_EQ(contents->entries[0], sample_entry("e0"));
    EXPECT_EQ(contents->entries[1], entry_in(model::EffectState::kVerified));
    EXPECT_TRUE(contents->damaged.empty());
}

TEST_F(JournalTest, ForgetsAndForgetsAgain) {
    ASSERT_TRUE(is_ok(journal_.put(sample_entry("e1"))));
    EXPECT_TRUE(is_ok(journal_.forget(EffectId("e1"))));
    EXPECT_TRUE(is_ok(journal_.forget(EffectId("e1"))));
    EXPECT_TRUE(fails(journal_.get(EffectId("e1")), ErrorCode::kNotFound));
}

TEST_F(JournalTest, RefusesANameThatIsAPath) {
    EXPECT_TRUE(fails(journal_.put(sample_entry("../x")), ErrorCode::kInvalidArgument));
    EXPECT_TRUE(fails(journal_.get(EffectId("../x")), ErrorCode::kInvalidArgument));
}

// After a cut at any step and any loss a disk may make of it: the old entry or the new one, whole.
TEST_F(JournalTest, IsOldOrNewAfterEveryCut) {
    for (const Unsynced unsynced : {Unsynced::kLost, Unsynced::kTorn, Unsynced::kKept}) {
        bool finished = false;
        for (std::size_t index = 0; !finished; ++index) {
            MemoryDirectory disk(points_);
            Journal journal(disk);
            points_.cut_at({});
            ASSERT_TRUE(is_ok(journal.put(entry_in(model::EffectState::kIntended))));
            std::string where = "nowhere";
            points_.cut_at(index);
            try {
                ASSERT_TRUE(is_ok(journal.put(entry_in(model::EffectState::kVerified))));
                finished = true;
            } catch (const Cut& cut) {
                where = cut.where;
            }
            points_.cut_at({});
            disk.cut_power(unsynced);
            const Result<Contents> contents = Journal(disk).read_all();
            ASSERT_TRUE(is_ok(contents));
            EXPECT_TRUE(contents->damaged.empty()) << where;
            ASSERT_EQ(contents->entries.size(), 1U) << where;
            const model::EffectState state = contents->entries[0].state;
            EXPECT_TRUE(state == model::EffectState::kIntended || state == model::EffectState::kVerified) << where;
            // What put() promised when it returned holds whatever the disk lost.
            if (finished) {
                EXPECT_EQ(state, model::EffectState::kVerified);
            }
            EXPECT_EQ(disk.list()->size(), 1U) << where << ": a half-made file is left";
        }
    }
}

TEST_F(JournalTest, SaysSoWhenTheDiskRefusesAndKeepsTheOldEntry) {
    ASSERT_TRUE(is_ok(journal_.put(entry_in(model::EffectState::kIntended))));
    for (const int refusal : {ENOSPC, EIO, EROFS}) {
        disk_.refuse_with(refusal);
        EXPECT_FALSE(journal_.put(entry_in(model::EffectState::kVerified)).has_value());
        EXPECT_EQ(journal_.get(EffectId("e1"))->state, model::EffectState::kIntended);
    }
    disk_.refuse_with(0);
    EXPECT_TRUE(is_ok(journal_.put(entry_in(model::EffectState::kVerified))));
}

TEST_F(JournalTest, SetsDamageAsideAndNeverForgetsIt) {
    ASSERT_TRUE(is_ok(journal_.put(sample_entry("good"))));
    disk_.corrupt("torn.effect", encode(sample_entry("torn")).substr(0, 200));
    disk_.corrupt("liar.effect", encode(sample_entry("other")));
    for (int reading = 0; reading < 2; ++reading) {
        const Result<Contents> contents = journal_.read_all();
        ASSERT_TRUE(is_ok(contents));
        ASSERT_EQ(contents->entries.size(), 1U);
        ASSERT_EQ(contents->damaged.size(), 2U);
        EXPECT_EQ(contents->damaged[0].name, "liar.damaged");
        EXPECT_EQ(contents->damaged[1].name, "torn.damaged");
    }
    EXPECT_TRUE(disk_.read("torn.damaged", 4096).has_value());
}

TEST_F(JournalTest, LeavesALaterFormatWhereItIs) {
    disk_.corrupt("later.effect", "penumbra-effect 2\n");
    const Result<Contents> contents = journal_.read_all();
    ASSERT_TRUE(is_ok(contents));
    ASSERT_EQ(contents->damaged.size(), 1U);
    EXPECT_EQ(contents->damaged[0].name, "later.effect");
}

}  // namespace
}  // namespace penumbra::journal
