#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "base/backoff.hpp"
#include "proto/codec/schema_api.hpp"

namespace penumbra::testing {

/// Fills a message of any schema with values its rules admit, from a seed: what properties and goldens are made of.
/// `choices` forces the first alternatives of the variants met, outermost first.
class AnyMessage {
 public:
    explicit AnyMessage(Random& random, std::deque<std::size_t>& choices)
        : random_(random), choices_(choices), names_all_(uniform(random, 2) == 0) {}

    template <class T>
    void operator()(std::uint32_t, std::string_view, T& out) {
        fill(out);
    }
    template <class T>
    void operator()(std::uint32_t, std::string_view, std::optional<T>& out) {
        out.reset();
        if (uniform(random_, 2) == 0) fill(out.emplace());
    }
    template <class Tag>
    void maybe(std::uint32_t, std::string_view name, Id<Tag>& out) {
        out = Id<Tag>();
        if (names_all_ || name == "effect" || name == "effect vm") fill(out);
    }
    void text(std::uint32_t, std::string_view, std::string& out, std::size_t) { fill(out); }
    void between(std::uint32_t, std::string_view, double& out, double low, double high) {
        out = low + (high - low) * static_cast<double>(1 + uniform(random_, 64)) / 64;
    }
    template <class T>
    void list(std::uint32_t, std::string_view, std::vector<T>& out, std::size_t) {
        out.resize(1 + uniform(random_, 2));
        for (T& item : out)
            fill(item);
    }
    void numbers(std::uint32_t, std::string_view, std::vector<double>& out, std::size_t) {
        out.resize(uniform(random_, 4));
        for (double& item : out)
            fill(item);
    }
    template <class Value>
    void tuning(std::uint32_t, std::string_view, std::map<std::string, Value>& out) {
        out.clear();
        for (const char* name : {"read_iops_sec", "total_bytes_sec"})
            fill(out[name]);
    }
    void buckets(std::uint32_t, std::string_view, std::vector<model::HistogramBucket>& out) {
        out.clear();
        std::uint64_t value = uniform(random_, 100);
        for (std::uint64_t left = uniform(random_, 6); left > 0; --left) {
            out.push_back({.value_us = value, .count = uniform(random_, 1000)});
            value += 1 + uniform(random_, 100'000);
        }
    }
    template <class... Alternatives>
    void choice(std::uint32_t, std::string_view, std::variant<Alternatives...>& out) {
        std::size_t index = uniform(random_, sizeof...(Alternatives));
        if (!choices_.empty()) {
            index = choices_.front() % sizeof...(Alternatives);
            choices_.pop_front();
        }
        std::size_t at = 0;
        static_cast<void>(((at++ == index && (fill(out.template emplace<Alternatives>()), true)) || ...));
    }
    void expect(bool, std::string_view, std::string_view) const noexcept {}

 private:
    void fill(bool& out) { out = uniform(random_, 2) == 1; }
    void fill(std::uint32_t& out) { out = least_ += static_cast<std::uint32_t>(uniform(random_, 1000)); }
    void fill(std::uint64_t& out) { out = random_() >> uniform(random_, 64); }
    void fill(std::int64_t& out) { out = static_cast<std::int64_t>(random_()) >> uniform(random_, 63); }
    void fill(double& out) { out = static_cast<double>(static_cast<std::int64_t>(random_()) >> 40) / 64; }
    void fill(Bytes& out) { out = Bytes(random_() >> 20U); }
    void fill(WallTime& out) { out = WallTime(std::chrono::milliseconds(uniform(random_, 4'000'000'000'000))); }
    void fill(Epoch& out) { out = Epoch(uniform(random_, 1000)); }
    void fill(Fence& out) { out = Fence(uniform(random_, 100'000)); }
    void fill(std::string& out) {
        static constexpr std::string_view kTexts[] = {"", "vda", "grüße, 世界", "52:54:00:12:34:56", "/dev/vg0/shop"};
        out = kTexts[uniform(random_, std::size(kTexts))];
    }
    template <class Tag>
    void fill(Id<Tag>& out) {
        out = Id<Tag>(std::string(Tag::kNoun) + ":" + std::to_string(uniform(random_, 1000)));
    }
    template <class Period>
    void fill(std::chrono::duration<std::int64_t, Period>& out) {
        out = std::chrono::duration<std::int64_t, Period>(uniform(random_, 100'000));
    }
    template <class Enum>
        requires std::is_enum_v<Enum>
    void fill(Enum& out) {
        out = static_cast<Enum>(uniform(random_, static_cast<std::uint64_t>(codec::kLastOf<Enum>) + 1));
    }
    template <class Message>
        requires std::is_class_v<Message>
    void fill(Message& out) {
        AnyMessage nested(random_, choices_);
        // Found by argument, in penumbra::codec: the schema's own function.
        codec::fields(nested, out);
    }

    Random& random_;
    std::deque<std::size_t>& choices_;
    bool names_all_;
    std::uint32_t least_ = 0;
};

template <class T>
T any_message(std::uint64_t seed, std::deque<std::size_t> choices = {}) {
    Random random(seed);
    AnyMessage any(random, choices);
    T out{};
    codec::fields(any, out);
    return out;
}

}  // namespace penumbra::testing
