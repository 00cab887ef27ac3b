#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

namespace penumbra::analysis::forecast {

/// Writes a model's state as bytes, in this machine's order: floats as 4 bytes, everything else as 8. Model parts offer
/// `walk(archive)` that names each of their members once, so that what is written is what is read.
class StateWriter {
 public:
    template <class Number>
        requires std::is_arithmetic_v<Number>
    void operator()(const Number& value) {
        if constexpr (std::is_same_v<Number, float> || std::is_same_v<Number, double>) {
            append(value);
        } else {
            append(static_cast<std::uint64_t>(value));
        }
    }
    template <class Item>
    void operator()(const std::vector<Item>& items) {
        append(static_cast<std::uint64_t>(items.size()));
        for (const Item& item : items)
            (*this)(item);
    }
    template <class Part>
        requires requires(Part& part, StateWriter& writer) { part.walk(writer); }
    void operator()(const Part& part) {
        const_cast<Part&>(part).walk(*this);
    }
    [[nodiscard]] std::vector<std::byte> take() { return std::move(bytes_); }

 private:
    template <class Raw>
    void append(const Raw& raw) {
        const auto* const first = reinterpret_cast<const std::byte*>(&raw);
        bytes_.insert(bytes_.end(), first, first + sizeof(Raw));
    }
    std::vector<std::byte> bytes_;
};

/// Reads what StateWriter wrote. Bytes that are too few, or that count more items than they hold, set failed() and read
/// as zeros.
class StateReader {
 public:
    explicit StateReader(std::span<const std::byte> bytes) noexcept : bytes_(bytes) {}

    template <class Number>
        requires std::is_arithmetic_v<Number>
    void operator()(Number& value) {
        if constexpr (std::is_same_v<Number, float> || std::is_same_v<Number, double>) {
            value = next<Number>();
        } else {
            const auto raw = next<std::uint64_t>();
            value = static_cast<Number>(raw);
            if (static_cast<std::uint64_t>(value) != raw || raw > kCountMax) failed_ = true;
            if (failed_) value = Number{};
        }
    }
    template <class Item>
    void operator()(std::vector<Item>& items) {
        const auto count = next<std::uint64_t>();
        if (count > bytes_.size()) {
            failed_ = true;
            return;
        }
        items.assign(static_cast<std::size_t>(count), Item{});
        for (Item& item : items)
            (*this)(item);
    }
    template <class Part>
        requires requires(Part& part, StateReader& reader) { part.walk(reader); }
    void operator()(Part& part) {
        part.walk(*this);
    }
    [[nodiscard]] bool failed() const noexcept { return failed_ || !bytes_.empty(); }

 private:
    static constexpr std::uint64_t kCountMax = 9'000'000'000'000'000;
    template <class Raw>
    Raw next() noexcept {
        Raw raw{};
        if (bytes_.size() < sizeof(Raw)) {
            failed_ = true;
            return raw;
        }
        std::memcpy(&raw, bytes_.data(), sizeof(Raw));
        bytes_ = bytes_.subspan(sizeof(Raw));
        return raw;
    }
    std::span<const std::byte> bytes_;
    bool failed_ = false;
};

}  // namespace penumbra::analysis::forecast
