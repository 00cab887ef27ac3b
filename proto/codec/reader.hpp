#pragma once

#include <algorithm>
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
#include "base/limits/wire.hpp"
#include "base/units.hpp"
#include "proto/codec/wire.hpp"
#include "proto/model/kpi.hpp"

namespace penumbra::codec {

/// The last enumerator of a model's enum: specialised in the schemas, so that a number from a later version is refused.
template <class Enum>
inline constexpr Enum kLastOf = Enum{};

/// Reads one message by its schema (`fields(reader, value)`). Every bound is checked before memory is taken for what it
/// bounds; the first breach is kept in the Refusal and what follows reads as a default. Thread-bound, stack-lived.
class Reader {
 public:
    Reader(std::string_view message, Refusal& refusal, int depth = limits::kWireDepthMax);

    /// A field of its type's own rules. An Id must be there and valid; a text is UTF-8 of at most kTextBytesMax.
    template <class T>
    void operator()(std::uint32_t number, std::string_view name, T& out) {
        value(find(number, name), name, out);
    }
    template <class T>
    void operator()(std::uint32_t number, std::string_view name, std::optional<T>& out) {
        const Field field = find(number, name);
        if (field.type == WireType::kAbsent) return out.reset();
        value(field, name, out.emplace());
    }
    /// An Id that may be empty.
    template <class Tag>
    void maybe(std::uint32_t number, std::string_view name, Id<Tag>& out) {
        const Field field = find(number, name);
        out = Id<Tag>();
        if (!field.bytes.empty()) value(field, name, out);
    }
    void text(std::uint32_t number, std::string_view name, std::string& out, std::size_t bytes_max);
    void between(std::uint32_t number, std::string_view name, double& out, double low, double high);
    /// Repeated texts, ids or messages.
    template <class T>
    void list(std::uint32_t number, std::string_view name, std::vector<T>& out, std::size_t items_max) {
        out.clear();
        const auto count = static_cast<std::size_t>(std::ranges::count(fields_, number, &Field::number));
        if (count > items_max) return refuse_count(name, count, items_max);
        out.reserve(count);
        for (const Field& field : fields_) {
            if (field.number == number && !refusal_.any()) value(field, name, out.emplace_back());
        }
    }
    /// Repeated numbers, packed.
    void numbers(std::uint32_t number, std::string_view name, std::vector<double>& out, std::size_t items_max);
    /// Names with a value each; a name said twice is refused, since only one of the two can be meant.
    template <class Value>
    void tuning(std::uint32_t number, std::string_view name, std::map<std::string, Value>& out) {
        std::vector<std::pair<std::string, Value>> items;
        list(number, name, items, limits::kTuningsMax);
        out.clear();
        for (auto& item : items)
            expect(out.insert(std::move(item)).second, name, "a name is said twice");
    }
    /// A histogram's buckets, packed: each value less the one before, then its count.
    void buckets(std::uint32_t number, std::string_view name, std::vector<model::HistogramBucket>& out);
    /// One of a variant's alternatives, numbered from `first` in their order.
    template <class... Alternatives>
    void choice(std::uint32_t first, std::string_view name, std::variant<Alternatives...>& out) {
        const Field field = find_between(first, first + sizeof...(Alternatives) - 1, name);
        if (field.type == WireType::kAbsent) {
            return refusal_.because(name, "none is said, or one that this version does not know: upgrade this side",
                                    ErrorCode::kUnsupported);
        }
        std::uint32_t number = first;
        static_cast<void>(
            ((number++ == field.number && (value(field, name, out.template emplace<Alternatives>()), true)) || ...));
    }
    /// A rule that ties fields together; of no effect when writing.
    void expect(bool holds, std::string_view name, std::string_view why) {
        if (!holds) refusal_.because(name, why);
    }

 private:
    [[nodiscard]] Field find(std::uint32_t number, std::string_view name);
    [[nodiscard]] Field find_between(std::uint32_t low, std::uint32_t high, std::string_view name);
    [[nodiscard]] bool has_type(const Field& field, std::string_view name, WireType type);
    void refuse_count(std::string_view name, std::size_t count, std::size_t items_max);

    void value(const Field& field, std::string_view name, bool& out);
    void value(const Field& field, std::string_view name, std::uint32_t& out);
    void value(const Field& field, std::string_view name, std::uint64_t& out);
    void value(const Field& field, std::string_view name, std::int64_t& out);  // zigzag: sint64
    void value(const Field& field, std::string_view name, double& out);        // finite
    void value(const Field& field, std::string_view name, std::string& out);
    void value(const Field& field, std::string_view name, Bytes& out);
    void value(const Field& field, std::string_view name, WallTime& out);
    void value(const Field& field, std::string_view name, Epoch& out);
    void value(const Field& field, std::string_view name, Fence& out);
    template <class Tag>
    void value(const Field& field, std::string_view name, Id<Tag>& out) {
        if (!has_type(field, name, WireType::kBytes)) return;
        Result<Id<Tag>> parsed = Id<Tag>::parse(field.bytes);
        if (parsed.has_value()) out = std::move(*parsed);
        if (!parsed.has_value()) refusal_.because(name, parsed.error().message);
    }
    template <class Period>
    void value(const Field& field, std::string_view name, std::chrono::duration<std::int64_t, Period>& out) {
        using Duration = std::chrono::duration<std::int64_t, Period>;
        std::uint64_t ticks = 0;
        value(field, name, ticks);
        const auto most = std::chrono::duration_cast<Duration>(limits::kWireDurationMax).count();
        const bool short_enough = ticks <= static_cast<std::uint64_t>(most);
        expect(short_enough, name, "a time that is negative or longer than ten years");
        out = Duration(short_enough ? static_cast<std::int64_t>(ticks) : 0);
    }
    // An enumerator is sent as its number plus one: 0 is "not said".
    template <class Enum>
        requires std::is_enum_v<Enum>
    void value(const Field& field, std::string_view name, Enum& out) {
        std::uint64_t number = 0;
        value(field, name, number);
        const bool known = number >= 1 && number <= static_cast<std::uint64_t>(kLastOf<Enum>) + 1;
        if (!known) return refusal_.because(name, "a word this version does not know", ErrorCode::kUnsupported);
        out = static_cast<Enum>(number - 1);
    }
    template <class Message>
        requires std::is_class_v<Message>
    void value(const Field& field, std::string_view name, Message& out) {
        if (!has_type(field, name, WireType::kBytes)) return;
        if (depth_ == 0) return refusal_.because(name, "it is nested too deep");
        Reader nested(field.bytes, refusal_, depth_ - 1);
        fields(nested, out);
    }

    std::vector<Field> fields_;
    Refusal& refusal_;
    int depth_;
};

}  // namespace penumbra::codec
