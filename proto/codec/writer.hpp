#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "base/clock.hpp"
#include "base/ids.hpp"
#include "base/units.hpp"
#include "proto/codec/wire.hpp"
#include "proto/model/kpi.hpp"

namespace penumbra::codec {

/// Writes one message by its schema, as protoc's generated code would: fields in order, zeros left out. Checks nothing:
/// encode() reads back what was written. Thread-bound, stack-lived.
class Writer {
 public:
    explicit Writer(std::string& out) : out_(out) {}

    template <class T>
    void operator()(std::uint32_t number, std::string_view, const T& value) {
        put(number, value, Zero::kLeftOut);
    }
    template <class T>
    void operator()(std::uint32_t number, std::string_view, const std::optional<T>& value) {
        if (value.has_value()) put(number, *value, Zero::kWritten);
    }
    template <class Tag>
    void maybe(std::uint32_t number, std::string_view, const Id<Tag>& id) {
        put(number, id, Zero::kLeftOut);
    }
    void text(std::uint32_t number, std::string_view, const std::string& text, std::size_t) {
        put(number, text, Zero::kLeftOut);
    }
    void between(std::uint32_t number, std::string_view, double value, double, double) {
        put(number, value, Zero::kLeftOut);
    }
    template <class T>
    void list(std::uint32_t number, std::string_view, const std::vector<T>& items, std::size_t) {
        for (const T& item : items)
            put(number, item, Zero::kWritten);
    }
    void numbers(std::uint32_t number, std::string_view, const std::vector<double>& items, std::size_t);
    template <class Value>
    void tuning(std::uint32_t number, std::string_view, const std::map<std::string, Value>& items) {
        for (const auto& [name, value] : items)
            put(number, std::pair<std::string, Value>(name, value), Zero::kWritten);
    }
    void buckets(std::uint32_t number, std::string_view, const std::vector<model::HistogramBucket>& items);
    template <class... Alternatives>
    void choice(std::uint32_t first, std::string_view, const std::variant<Alternatives...>& chosen) {
        const auto number = first + static_cast<std::uint32_t>(chosen.index());
        std::visit([&](const auto& alternative) { put(number, alternative, Zero::kWritten); }, chosen);
    }
    void expect(bool, std::string_view, std::string_view) const noexcept {}

 private:
    // What proto3 does with a zero: leaves it out, but for an optional field and an item of a list.
    enum class Zero : unsigned char { kLeftOut, kWritten };

    void put(std::uint32_t number, std::uint64_t value, Zero zero);
    void put(std::uint32_t number, double value, Zero zero);
    void put(std::uint32_t number, std::string_view text, Zero zero);
    void put(std::uint32_t number, const std::string& text, Zero zero) { put(number, std::string_view(text), zero); }
    void put(std::uint32_t number, bool value, Zero zero) { put(number, std::uint64_t{value ? 1U : 0U}, zero); }
    void put(std::uint32_t number, std::uint32_t value, Zero zero) { put(number, std::uint64_t{value}, zero); }
    void put(std::uint32_t number, std::int64_t value, Zero zero) {
        const auto bits = static_cast<std::uint64_t>(value);
        put(number, (bits << 1U) ^ (0 - (bits >> 63U)), zero);
    }
    void put(std::uint32_t number, Bytes value, Zero zero) { put(number, value.count(), zero); }
    // A negative time, an own bug, becomes a number that every reader refuses.
    void put(std::uint32_t number, WallTime value, Zero zero) {
        put(number, static_cast<std::uint64_t>(value.time_since_epoch().count()), zero);
    }
    template <class Period>
    void put(std::uint32_t number, std::chrono::duration<std::int64_t, Period> value, Zero zero) {
        put(number, static_cast<std::uint64_t>(value.count()), zero);
    }
    void put(std::uint32_t number, Epoch value, Zero zero) { put(number, penumbra::number(value), zero); }
    void put(std::uint32_t number, Fence value, Zero zero) { put(number, penumbra::number(value), zero); }
    template <class Tag>
    void put(std::uint32_t number, const Id<Tag>& id, Zero zero) {
        put(number, std::string_view(id.text()), zero);
    }
    template <class Enum>
        requires std::is_enum_v<Enum>
    void put(std::uint32_t number, Enum value, Zero zero) {
        put(number, static_cast<std::uint64_t>(value) + 1, zero);
    }
    template <class Message>
        requires std::is_class_v<Message>
    void put(std::uint32_t number, const Message& message, Zero) {
        std::string bytes;
        Writer nested(bytes);
        // One schema serves reading and writing; a Writer takes every field by const reference.
        fields(nested, const_cast<Message&>(message));
        put(number, std::string_view(bytes), Zero::kWritten);
    }

    std::string& out_;
};

}  // namespace penumbra::codec
