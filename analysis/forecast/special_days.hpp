#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/forecast/calendar.hpp"
#include "base/result.hpp"

namespace penumbra::analysis::forecast {

/// What holidays and events do to a series: how far a value then lies from what an ordinary day of its weekday would
/// bring. Before a day of its name was seen, that is the difference to the weekday it is said to be like; afterwards
/// it is moved, hour by hour, by what the past ones showed, n of them counting n / (n + 0.5). Value type; O(log days).
class SpecialDays {
 public:
    /// `days` rise by date, at most one a date; the caller has checked it.
    void start(std::span<const SpecialDay> days);

    /// The day's place in what was given to start(); empty on ordinary days.
    [[nodiscard]] std::optional<std::size_t> find(std::chrono::local_days date) const noexcept;
    [[nodiscard]] bool empty() const noexcept { return days_.empty(); }
    [[nodiscard]] std::optional<std::chrono::weekday> like(std::size_t day) const noexcept;
    [[nodiscard]] std::string name(std::size_t day) const;
    /// Days of this name that were learnt from.
    [[nodiscard]] double seen(std::size_t day) const noexcept;

    /// Further difference than to the day it is like, at this hour (0 to 23), in units of `size`.
    [[nodiscard]] double surplus(std::size_t day, std::size_t hour) const noexcept;
    /// One of `per_hour` values of that hour showed this surplus.
    void learn(std::size_t day, std::size_t hour, double surplus, std::size_t per_hour) noexcept;

    /// Whether a state that was read holds together.
    [[nodiscard]] bool fits() const noexcept;
    template <class Archive>
    void walk(Archive& archive) {
        archive(days_);
        archive(kinds_);
    }

 private:
    struct Day {
        std::uint32_t number = 0;  ///< since 1970
        std::size_t kind = 0;
        std::uint8_t like = kItself;
        template <class Archive>
        void walk(Archive& archive) {
            archive(number);
            archive(kind);
            archive(like);
        }
    };
    struct Kind {
        std::vector<std::uint8_t> name;
        std::array<float, 24> sum{};
        std::array<float, 24> days{};  ///< seen, in parts of that hour
        template <class Archive>
        void walk(Archive& archive) {
            archive(name);
            for (float& value : sum)
                archive(value);
            for (float& value : days)
                archive(value);
        }
    };
    static constexpr std::uint8_t kItself = 7;
    std::vector<Day> days_;
    std::vector<Kind> kinds_;
};

/// Holidays and events as people write them: lines of DATE[,NAME[,LIKE]], DATE as 2026-12-25 on the service's clock,
/// NAME "holiday" if not said, LIKE a weekday in English, "itself" for one that is no different until it was seen, and
/// "sunday" if not said. Days of one name behave alike. Rising by date whatever their order. Errors: kInvalidArgument
/// with file, line and column, also for a date that comes twice; kResourceExhausted above limits::kSpecialDaysMax.
[[nodiscard]] Result<std::vector<SpecialDay>> parse_special_days(std::string_view file_name, std::string_view csv);

}  // namespace penumbra::analysis::forecast
