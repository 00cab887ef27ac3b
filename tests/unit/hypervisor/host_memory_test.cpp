#include "hypervisor/host_memory.hpp"

#include <gtest/gtest.h>

namespace penumbra::hypervisor {
namespace {

TEST(HostMemory, TakesWhatIsAvailableNotWhatIsFree) {
    const auto found =
        memory_available("MemTotal:       24689780 kB\nMemFree:          512000 kB\nMemAvailable:   20480000 kB\n");
    ASSERT_TRUE(found.has_value());
    EXPECT_EQ(*found, Bytes(20'480'000ULL << 10U));
}

TEST(HostMemory, ReadsALastLineWithoutItsEnd) {
    const auto found = memory_available("MemAvailable: 1 kB");
    ASSERT_TRUE(found.has_value());
    EXPECT_EQ(*found, Bytes(1024));
}

TEST(HostMemory, RefusesWhatDoesNotSayIt) {
    for (const char* text :
         {"", "\n\n", "MemFree: 12 kB\n", "MemAvailable:\n", "MemAvailable: kB\n", "MemAvailable: 12\n",
          "MemAvailable: 12 MB\n", "MemAvailable: -1 kB\n", "MemAvailable: 1x kB\n",
          "MemAvailable: 99999999999999999999 kB\n", "MemAvailable: 18446744073709551615 kB\n"}) {
        const auto found = memory_available(text);
        ASSERT_FALSE(found.has_value()) << text;
        EXPECT_EQ(found.error().code, ErrorCode::kUnsupported) << text;
    }
}

}  // namespace
}  // namespace penumbra::hypervisor
