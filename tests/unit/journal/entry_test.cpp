#include "journal/entry.hpp"

#include <cstdlib>
#include <string>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "base/durable_file.hpp"
#include "base/limits/effects.hpp"
#include "tests/support/result_matchers.hpp"
#include "tests/unit/journal/sample_entry.hpp"

namespace penumbra::journal {
namespace {

using penumbra::testing::fails;
using penumbra::testing::is_ok;

Values values_from(const std::map<std::string, std::string>& map) {
    return {map.begin(), map.end()};
}

decltype(model::EffectSpec::action) arbitrary_action() {
    const auto text = [] { return *rc::gen::string<std::string>(); };
    switch (*rc::gen::inRange(0, 5)) {
        case 0:
            return model::IoTune{.disk = text(), .limits = *rc::gen::arbitrary<std::map<std::string, std::uint64_t>>()};
        case 1:
            return model::CpuTune{.parameters = *rc::gen::arbitrary<std::map<std::string, std::int64_t>>()};
        case 2:
            return model::Partition{.interfaces = *rc::gen::arbitrary<std::vector<std::string>>()};
        case 3:
            return model::BackupHold{.checkpoint = text()};
        default:
            return model::MirrorHold{.bridge = text(), .mirrored_port = text()};
    }
}

RC_GTEST_PROP(Entry, ComesBackAsItWentIn, ()) {
    Entry entry = sample_entry();
    entry.spec.action = arbitrary_action();
    entry.reason = *rc::gen::string<std::string>();
    entry.site.taps = *rc::gen::arbitrary<std::vector<std::string>>();
    entry.spec.lease = std::chrono::seconds(*rc::gen::arbitrary<int>());
    entry.deadline = Instant(std::chrono::nanoseconds(*rc::gen::arbitrary<std::int64_t>()));
    entry.after.persistent = values_from(*rc::gen::arbitrary<std::map<std::string, std::string>>());
    if (*rc::gen::arbitrary<bool>()) entry.after.live.reset();
    const std::string text = encode(entry);
    RC_PRE(text.size() <= limits::kJournalEntryBytesMax);
    const Result<Entry> decoded = decode(text);
    RC_ASSERT(decoded.has_value());
    RC_ASSERT(*decoded == entry);
}

RC_GTEST_PROP(Entry, AnyOtherByteIsDamage, ()) {
    std::string text = encode(sample_entry());
    const auto position = *rc::gen::inRange<std::size_t>(0, text.size());
    const char byte = *rc::gen::arbitrary<char>();
    RC_PRE(text[position] != byte);
    text[position] = byte;
    RC_ASSERT(!decode(text).has_value());
}

TEST(Entry, EveryPrefixIsDamage) {
    const std::string text = encode(sample_entry());
    for (std::size_t size = 0; size < text.size(); ++size)
        EXPECT_FALSE(decode(text.substr(0, size)).has_value()) << size;
}

TEST(Entry, ALaterFormatIsNotCalledDamage) {
    EXPECT_TRUE(fails(decode("penumbra-effect 2\nid x\n"), ErrorCode::kUnsupported, "format 2"));
}

TEST(Entry, KeepsFormat1) {
    const std::string golden = std::string(PENUMBRA_SOURCE_ROOT) + "/tests/golden/journal/effect-v1.txt";
    const std::string text = encode(sample_entry());
    if (std::getenv("PENUMBRA_TEST_ACCEPT") != nullptr) {
        ASSERT_TRUE(is_ok(write_file_durably(golden, text, 0644)));
        GTEST_SKIP() << "golden file written: look at the difference before committing it";
    }
    EXPECT_EQ(*read_file(golden, limits::kJournalEntryBytesMax), text);
    EXPECT_EQ(*decode(text), sample_entry());
}

TEST(Entry, HashTellsImagesApart) {
    const Image none{};
    const Image runs{.live = Values{}};
    const Image live{.live = Values{{"a", "1"}}};
    const Image persistent{.live = Values{}, .persistent = {{"a", "1"}}};
    EXPECT_NE(hash_of(none), hash_of(runs));
    EXPECT_NE(hash_of(live), hash_of(persistent));
    EXPECT_EQ(hash_of(live), hash_of(Image{.live = Values{{"a", "1"}}}));
}

}  // namespace
}  // namespace penumbra::journal
