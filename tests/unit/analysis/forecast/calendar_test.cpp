#include "analysis/forecast/calendar.hpp"

#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

#include <gtest/gtest.h>

#include "analysis/forecast/forecaster.hpp"
#include "analysis/forecast/special_days.hpp"
#include "analysis/random.hpp"
#include "tests/support/result_matchers.hpp"

namespace penumbra::analysis::forecast {
namespace {

using namespace std::chrono_literals;
using penumbra::testing::fails;
using penumbra::testing::is_ok;

constexpr WallTime kMonday(std::chrono::sys_days(2026y / 3 / 2));
// Berlin's of 2026
const std::vector<OffsetChange> kBerlin = {{WallTime(std::chrono::sys_days(2025y / 10 / 26)) + 1h, 60min},
                                           {WallTime(std::chrono::sys_days(2026y / 3 / 29)) + 1h, 120min},
                                           {WallTime(std::chrono::sys_days(2026y / 10 / 25)) + 1h, 60min}};

TEST(Calendar, FollowsTheClockThroughDaylightSaving) {
    const Calendar calendar(kMonday, 1h, 0min, kBerlin);
    EXPECT_EQ(calendar.day_place(0), 1U);  // midnight UTC is one o'clock in Berlin
    const std::size_t spring = 27 * 24 + 1;
    EXPECT_EQ(calendar.day_place(spring - 1), 1U);
    EXPECT_EQ(calendar.day_place(spring), 3U);
    EXPECT_EQ(calendar.skipped_before(spring), 1U);
    EXPECT_EQ(calendar.skipped_before(spring + 1), 0U);
    // the day after, eight o'clock is 24 points after eight o'clock, on the day itself 23
    EXPECT_EQ(calendar.same_time_before(spring + 5, 24), spring + 5 - 23);
    EXPECT_EQ(calendar.same_time_before(spring + 29, 24), spring + 5);
    EXPECT_EQ(calendar.date(0), std::chrono::local_days(2026y / 3 / 2));
    EXPECT_EQ(calendar.date(22), std::chrono::local_days(2026y / 3 / 2));
    EXPECT_EQ(calendar.date(23), std::chrono::local_days(2026y / 3 / 3));
}

TEST(Calendar, AnHourThatComesTwiceStandsTwiceInItsPlace) {
    const WallTime begin(std::chrono::sys_days(2026y / 10 / 24));
    const Calendar calendar(begin, 30min, 0min, kBerlin);
    EXPECT_EQ(calendar.day_place(49), calendar.day_place(51));
    EXPECT_EQ(calendar.day_place(50), 4U);
    EXPECT_EQ(calendar.skipped_before(50), 0U);
    EXPECT_EQ(calendar.same_time_before(50 + 10, 48), 50U + 10 - 50);
    EXPECT_EQ(calendar.same_time_before(1, 48), std::nullopt);
}

TEST(Calendar, KnowsTheSameTimeOfAnotherWeekday) {
    const Calendar calendar(kMonday, 1h, 60min);
    const std::size_t tuesday_noon = 24 + 11;
    const std::size_t sunday_noon = 6 * 24 + 11;
    EXPECT_EQ(calendar.week_cell_on(std::chrono::Sunday, tuesday_noon), calendar.week_cell(sunday_noon));
    EXPECT_EQ(calendar.week_cell_on(std::chrono::Tuesday, tuesday_noon), calendar.week_cell(tuesday_noon));
}

/// A service whose people live in Berlin: a day with a steep morning, quiet weekends, holidays like Sundays, and a sale
/// that doubles the load. What each part adds is said here and nowhere else.
struct People {
    std::uint64_t seed = 1;
    WallTime begin = kMonday;
    std::size_t points = 0;
    double noise = 4;
    double holiday_factor = 1;  ///< of a Sunday's load
    std::size_t burst_at = std::numeric_limits<std::size_t>::max();
    std::vector<SpecialDay> days;
};

double load_at(const People& people, std::size_t index) {
    const Calendar clock(people.begin, 1h, 0min, kBerlin);
    const auto date = clock.date(index);
    const auto hour = static_cast<double>(clock.day_place(index));
    std::chrono::weekday weekday{date};
    double factor = index == people.burst_at ? 3 : 1;
    for (const SpecialDay& day : people.days) {
        if (day.date != date) continue;
        if (day.name == "sale") factor *= 2;
        if (day.name == "holiday") {
            weekday = std::chrono::Sunday;
            factor *= people.holiday_factor;
        }
    }
    const bool quiet = weekday == std::chrono::Saturday || weekday == std::chrono::Sunday;
    const double day = 100 + 60 * std::tanh((hour - 8) / 1.5) * std::tanh((19 - hour) / 2);
    return factor * (quiet ? 0.4 : 1) * day;
}

History history_of(const People& people) {
    Random random(people.seed);
    History history{.begin = people.begin, .step = 1h};
    for (std::size_t i = 0; i < people.points; ++i)
        history.values.push_back(std::max(0.0, load_at(people, i) + people.noise * random.normal()));
    return history;
}

/// Mean absolute error against the truth of the medians of the next `steps`, over ten seeds.
double error_of(People people, const ForecastOptions& options, std::size_t steps = 24) {
    double sum = 0;
    constexpr std::size_t kSeeds = 10;
    for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
        people.seed = seed;
        const auto model = Forecaster::fit(history_of(people), options);
        EXPECT_TRUE(is_ok(model));
        if (!model) return std::numeric_limits<double>::quiet_NaN();
        const auto forecast = model->forecast(steps);
        for (std::size_t k = 0; k < steps; ++k)
            sum += std::abs(forecast.steps[k].values[0] - load_at(people, people.points + k));
    }
    return sum / static_cast<double>(kSeeds * steps);
}

TEST(ServiceClock, TheMorningComesWhenTheClockSays) {
    // four weeks to the Sunday of the change: the next day is an hour earlier in UTC
    const People people{.points = 27 * 24 + 20};
    const double plain = error_of(people, {.utc_offset = 60min});
    const double known = error_of(people, {.offset_changes = kBerlin});
    EXPECT_LT(known, 0.6 * plain) << known << " beside " << plain;
    // and a week after the change both are right
    const People later{.points = 6 * 7 * 24};
    EXPECT_LT(error_of(later, {.offset_changes = kBerlin}), 1.05 * error_of(later, {.utc_offset = 60min}));
}

TEST(ServiceClock, TellsNothingElseWhereNothingChanges) {
    const People people{.points = 20 * 24};
    const History history = history_of(people);
    const auto plain = Forecaster::fit(history, {.utc_offset = 60min})->forecast(48);
    const auto known = Forecaster::fit(history, {.offset_changes = {{kMonday - 24h * 100, 60min}}})->forecast(48);
    for (std::size_t k = 0; k < 48; ++k)
        EXPECT_EQ(plain.steps[k].values, known.steps[k].values);
}

People with_holiday(std::size_t points, std::vector<std::chrono::local_days> dates) {
    People people{.points = points};
    for (const auto date : dates)
        people.days.push_back({.date = date});
    return people;
}

TEST(SpecialDays, AHolidayIsASundayUntilMoreIsKnown) {
    // tomorrow, a Wednesday, is the first holiday that is seen
    const People people = with_holiday(30 * 24 - 1, {std::chrono::local_days(2026y / 4 / 1)});
    const ForecastOptions without{.offset_changes = kBerlin};
    const ForecastOptions with{.offset_changes = kBerlin, .special_days = people.days};
    const double plain = error_of(people, without);
    const double known = error_of(people, with);
    EXPECT_LT(known, 0.4 * plain) << known << " beside " << plain;
}

TEST(SpecialDays, APastHolidayDoesNotDisturbTheDaysAfterIt) {
    // the holiday was yesterday, and last week the same weekday
    for (const auto date : {2026y / 3 / 31, 2026y / 3 / 25}) {
        const People people = with_holiday(30 * 24 - 1, {std::chrono::local_days(date)});
        const double plain = error_of(people, {.offset_changes = kBerlin});
        const double known = error_of(people, {.offset_changes = kBerlin, .special_days = people.days});
        EXPECT_LE(known, plain) << known << " beside " << plain;
    }
}

TEST(SpecialDays, WhatPastOnesWereIsLearnt) {
    // holidays are half a Sunday here, which two past ones have shown
    People people =
        with_holiday(44 * 24 - 1, {std::chrono::local_days(2026y / 3 / 19), std::chrono::local_days(2026y / 4 / 2),
                                   std::chrono::local_days(2026y / 4 / 15)});
    people.holiday_factor = 0.5;
    People first = people;
    for (std::size_t i = 0; i < 2; ++i)
        first.days[i].name = "another kind";
    const double like_sunday = error_of(people, {.offset_changes = kBerlin, .special_days = first.days});
    const double learnt = error_of(people, {.offset_changes = kBerlin, .special_days = people.days});
    EXPECT_LT(learnt, 0.5 * like_sunday) << learnt << " beside " << like_sunday;
}

TEST(SpecialDays, ASaleThatWasSeenOnceIsForetold) {
    People people{.points = 37 * 24 - 1};
    people.days = {{.date = std::chrono::local_days(2026y / 3 / 25), .name = "sale", .like = std::nullopt},
                   {.date = std::chrono::local_days(2026y / 4 / 8), .name = "sale", .like = std::nullopt}};
    const double plain = error_of(people, {.offset_changes = kBerlin});
    const double known = error_of(people, {.offset_changes = kBerlin, .special_days = people.days});
    EXPECT_LT(known, 0.5 * plain) << known << " beside " << plain;
    const auto forecast =
        Forecaster::fit(history_of(people), {.offset_changes = kBerlin, .special_days = people.days})->forecast(24);
    EXPECT_NE(forecast.explanation.find("2026-04-08 is a sale, of which 1 were seen"), std::string::npos)
        << forecast.explanation;
}

TEST(SpecialDays, ADayThatIsNoDifferentCostsLittle) {
    // named a holiday and like itself: nothing is gained, and little lost
    People people{.points = 30 * 24 - 1};
    people.days = {{.date = std::chrono::local_days(2026y / 3 / 18), .name = "plain", .like = std::nullopt},
                   {.date = std::chrono::local_days(2026y / 4 / 1), .name = "plain", .like = std::nullopt}};
    const double plain = error_of(people, {.offset_changes = kBerlin});
    EXPECT_LE(error_of(people, {.offset_changes = kBerlin, .special_days = people.days}), 1.25 * plain);
}

TEST(SpecialDays, ABurstOnTheLastDayChangesNothingOfThis) {
    People people = with_holiday(30 * 24 - 1, {std::chrono::local_days(2026y / 4 / 1)});
    people.burst_at = 29 * 24 + 10;
    const double plain = error_of(people, {.offset_changes = kBerlin});
    EXPECT_LT(error_of(people, {.offset_changes = kBerlin, .special_days = people.days}), 0.5 * plain);
}

TEST(SpecialDays, ARestartInTheirMidstIsNoRestart) {
    const People people =
        with_holiday(40 * 24, {std::chrono::local_days(2026y / 3 / 19), std::chrono::local_days(2026y / 3 / 29),
                               std::chrono::local_days(2026y / 4 / 2)});
    const History all = history_of(people);
    History first = all;
    first.values.resize(16 * 24);
    auto straight = *Forecaster::fit(first, {.offset_changes = kBerlin, .special_days = people.days});
    auto stored = straight;
    for (std::size_t i = first.values.size(); i < all.values.size(); ++i) {
        straight.update(all.values[i]);
        auto restored = Forecaster::restore(stored.save());
        ASSERT_TRUE(is_ok(restored));
        stored = *std::move(restored);
        stored.update(all.values[i]);
    }
    const auto a = straight.forecast(48);
    const auto b = stored.forecast(48);
    EXPECT_EQ(a.explanation, b.explanation);
    for (std::size_t k = 0; k < 48; ++k)
        EXPECT_EQ(a.steps[k].values, b.steps[k].values);
}

TEST(SpecialDays, WhatHasNoMeaningIsRefused) {
    const History history = history_of({.points = 100});
    const SpecialDay day{.date = std::chrono::local_days(2026y / 3 / 19)};
    EXPECT_TRUE(fails(Forecaster::fit(history, {.special_days = {day, day}}), ErrorCode::kInvalidArgument, "rise"));
    EXPECT_TRUE(fails(Forecaster::fit(history, {.offset_changes = {kBerlin[1], kBerlin[0]}}),
                      ErrorCode::kInvalidArgument, "rise"));
    EXPECT_TRUE(fails(Forecaster::fit(history, {.offset_changes = {{kMonday, 48h}}}), ErrorCode::kInvalidArgument));
    // a history of nothing but holidays still has a forecast
    std::vector<SpecialDay> all;
    for (int i = 0; i < 10; ++i)
        all.push_back({.date = std::chrono::local_days(2026y / 3 / 1) + std::chrono::days(i)});
    EXPECT_TRUE(is_ok(Forecaster::fit(history, {.special_days = all})));
}

TEST(ParseSpecialDays, ReadsDatesNamesAndWhatTheyAreLike) {
    const auto days = parse_special_days("days.csv",
                                         "date,name,like\n2026-12-25,christmas\n2026-05-01\n"
                                         "2026-11-27,sale,itself\n2026-12-24,holiday,Saturday\n");
    ASSERT_TRUE(is_ok(days));
    ASSERT_EQ(days->size(), 4U);
    EXPECT_EQ((*days)[0].date, std::chrono::local_days(2026y / 5 / 1));
    EXPECT_EQ((*days)[0].name, "holiday");
    EXPECT_EQ((*days)[0].like, std::chrono::Sunday);
    EXPECT_EQ((*days)[1].like, std::nullopt);
    EXPECT_EQ((*days)[2].like, std::chrono::Saturday);
    EXPECT_EQ((*days)[3].name, "christmas");
    EXPECT_EQ(parse_special_days("days.csv", "2026-12-25\n")->size(), 1U);
    EXPECT_TRUE(fails(parse_special_days("days.csv", "2026-12-25\n2026-12-25\n"), ErrorCode::kInvalidArgument,
                      "days.csv:2:1: expected a date that has not been named before"));
    EXPECT_TRUE(
        fails(parse_special_days("days.csv", "2026-12-25,x,someday\n"), ErrorCode::kInvalidArgument, "a weekday or"));
    EXPECT_TRUE(
        fails(parse_special_days("days.csv", "2026-12-25T09:00\n"), ErrorCode::kInvalidArgument, "a date such"));
    EXPECT_TRUE(fails(parse_special_days("days.csv", "2026-13-25\n1,2\n"), ErrorCode::kInvalidArgument));
}

}  // namespace
}  // namespace penumbra::analysis::forecast
