#include "hypervisor/qcow2_bitmaps.hpp"

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "base/limits/replica.hpp"
#include "tests/support/result_matchers.hpp"

namespace penumbra::hypervisor::qcow2 {
namespace {

using testing::fails;
using testing::is_ok;

constexpr std::size_t kHeaderBytes = 104;

std::string number(std::uint64_t value, std::size_t bytes) {
    std::string out;
    for (std::size_t i = bytes; i-- > 0;)
        out += static_cast<char>(value >> (8 * i) & 0xffU);
    return out;
}

std::string padded(std::string text) {
    text.resize((text.size() + 7) / 8 * 8, '\0');
    return text;
}

std::string extension(std::uint32_t type, const std::string& data) {
    return number(type, 4) + number(data.size(), 4) + padded(data);
}

/// An image of version 3 without anything but its header.
std::string head(const std::string& extensions, const std::string& backing = "") {
    std::string out = "QFI\xfb" + number(3, 4);
    out += backing.empty() ? number(0, 12) : number(kHeaderBytes + extensions.size(), 8) + number(backing.size(), 4);
    out.resize(88, '\0');
    out += number(1, 8) + number(4, 4) + number(kHeaderBytes, 4);
    return out + extensions + backing;
}

std::string bitmaps(std::uint32_t count, std::uint64_t bytes, std::uint64_t offset) {
    return extension(0x23852875, number(count, 4) + number(0, 4) + number(bytes, 8) + number(offset, 8));
}

const std::string kEnd = extension(0, "");
const std::string kListed = extension(0xe2792aca, "qcow2") + bitmaps(2, 80, 65536) + kEnd;

Result<ImageHead> decode(const std::string& image) {
    return decode_image_head(std::as_bytes(std::span(image)));
}

TEST(Qcow2Bitmaps, TheirListIsFoundBehindOtherExtensions) {
    const auto decoded = decode(head(kListed, "base.qcow2"));
    ASSERT_TRUE(is_ok(decoded));
    EXPECT_EQ(*decoded, (ImageHead{.backing = "base.qcow2", .bitmaps = {.offset = 65536, .bytes = 80, .count = 2}}));
}

TEST(Qcow2Bitmaps, NoneWhereQemuWouldNotBelieveTheList) {
    EXPECT_EQ(*decode(head(kEnd)), ImageHead());
    std::string written_by_old = head(kListed);
    written_by_old[95] = 0;  // auto-clear: who wrote last knew nothing of bitmaps
    EXPECT_EQ(*decode(written_by_old), ImageHead());
    std::string old = head(kListed);
    old[7] = 2;
    EXPECT_EQ(*decode(old), ImageHead());
}

TEST(Qcow2Bitmaps, AHeaderThatLeadsNowhereIsRefused) {
    const std::string whole = head(kListed, "base.qcow2");
    for (std::size_t bytes = 0; bytes < whole.size(); ++bytes)
        EXPECT_FALSE(decode(whole.substr(0, bytes)).has_value()) << bytes;
    EXPECT_TRUE(fails(decode(std::string(200, 'x')), ErrorCode::kUnsupported));
    EXPECT_TRUE(fails(decode(head(extension(7, "") + number(7, 4) + number(0xffff'ffff, 4))), ErrorCode::kDataLoss));
    EXPECT_TRUE(
        fails(decode(head(bitmaps(1, limits::kBitmapDirectoryBytesMax + 1, 0) + kEnd)), ErrorCode::kResourceExhausted));
}

TEST(Qcow2Bitmaps, NamesAreReadPastWhatEntriesCarryBesides) {
    const auto entry = [](const std::string& name, const std::string& extra) {
        return padded(number(0, 18) + number(name.size(), 2) + number(extra.size(), 4) + extra + name);
    };
    const std::string list = entry("penumbra.1.1000", "") + entry("nightly", "12345") + entry("12345678", "");
    const BitmapDirectory directory{.offset = 0, .bytes = list.size(), .count = 3};
    const auto names = decode_bitmap_names(directory, std::as_bytes(std::span(list)));
    ASSERT_TRUE(is_ok(names));
    EXPECT_EQ(*names, (std::vector<std::string>{"penumbra.1.1000", "nightly", "12345678"}));
    for (std::size_t bytes = 0; bytes < list.size(); ++bytes)
        EXPECT_TRUE(
            fails(decode_bitmap_names(directory, std::as_bytes(std::span(list).first(bytes))), ErrorCode::kDataLoss));
}

}  // namespace
}  // namespace penumbra::hypervisor::qcow2
