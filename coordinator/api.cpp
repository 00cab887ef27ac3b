#include "coordinator/api.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <fmt/format.h>

#include "analysis/forecast/history_csv.hpp"
#include "analysis/forecast/special_days.hpp"
#include "base/durable_file.hpp"
#include "base/limits/api.hpp"
#include "base/limits/local.hpp"
#include "coordinator/anticipation/foretell.hpp"
#include "coordinator/core/views.hpp"
#include "proto/keys.hpp"
#include "proto/spec/rollout_file.hpp"
#include "proto/spec/trial_file.hpp"

namespace penumbra::coordinator {

namespace {

namespace api = model::api;

api::ReplyBody failure(const Error& error) {
    return api::Failure{.code = error.code, .message = error.describe()};
}

template <class Value>
api::ReplyBody body_of(Result<Value> value) {
    if (!value.has_value()) return failure(value.error());
    return std::move(*value);
}

// What a forecast of a series starts from.
struct Known {
    std::vector<MetricPoint> points;
    double present = 0;
};

// Of a metric that is only imported, what came last counts as present.
Result<Known> known_of(Store& store, const Series& series, WallTime now) {
    Known known{.points = TRY(store.points(series))};
    if (series.metric == kRequestRate) {
        const auto windows = TRY(store.windows({.group = series.group}, now - limits::kPresentSought, WallTime::max()));
        known.present = present_rate(windows);
    } else if (!known.points.empty()) {
        known.present = known.points.back().value;
    }
    return known;
}

// The file is small and edited by people while this runs: a new holiday counts from the next forecast on.
Result<ServiceDays> days_of(const std::vector<OffsetChange>& clock, const std::filesystem::path& holidays) {
    ServiceDays days{.clock = clock};
    if (holidays.empty()) return days;
    const std::string csv = TRY(read_file(holidays, limits::kHolidaysBytesMax));
    days.special = TRY(analysis::forecast::parse_special_days(holidays.native(), csv));
    return days;
}

// Said only while the disk does not answer for a long time.
const Error kStoreBusy{.code = ErrorCode::kUnavailable,
                       .message = "the coordinator's disk is too slow for what it is asked: try again"};

bool is_change(const api::RequestBody& body) {
    return std::visit(
        []<class Body>(const Body&) {
            return !std::is_same_v<Body, api::ListHosts> && !std::is_same_v<Body, api::ListVms> &&
                   !std::is_same_v<Body, api::ListGroups> && !std::is_same_v<Body, api::ListShadows> &&
                   !std::is_same_v<Body, api::ListTrials> && !std::is_same_v<Body, api::ListRollouts> &&
                   !std::is_same_v<Body, api::ListCommands> && !std::is_same_v<Body, api::ListEvents> &&
                   !std::is_same_v<Body, api::ListKpi> && !std::is_same_v<Body, api::ListIsolation> &&
                   !std::is_same_v<Body, api::ShowForecast>;
        },
        body);
}

Series series_of(const GroupId& group, const std::string& metric) {
    return {group, metric.empty() ? std::string(kRequestRate) : metric};
}

}  // namespace

/// One request being answered.
struct Api::Asking {
    Api& self;
    const std::string& user;
    const std::string& request_id;
    Reply reply;

    [[nodiscard]] const Fleet& fleet() const { return self.parts_.core.fleet(); }
    void core(Ask ask) const { self.ask_core(user, request_id, std::move(ask), reply); }
    /// Replies with what `call(Store&) -> Result<Value>` says, which runs beside the loop.
    template <class Value, class Call>
    void store(Call call) const {
        const bool taken = self.parts_.store.ask<Result<Value>>(
            std::move(call), [reply = reply](Result<Value> value) { reply(body_of(std::move(value))); });
        if (!taken) reply(failure(kStoreBusy));
    }

    void operator()(const api::ListEvents& asked) const {
        const std::size_t count = std::min<std::size_t>(asked.count_max, limits::kItemsPerReplyMax);
        store<std::vector<model::EventView>>(
            [after = asked.after, count](Store& from) { return from.events(after, count); });
    }
    void operator()(const api::ListKpi& asked) const {
        store<std::vector<model::KpiWindow>>(
            [asked](Store& from) { return from.windows(asked.vantage, asked.from, asked.to); });
    }
    void operator()(const api::ShowForecast& asked) const {
        store<model::ForecastView>([series = series_of(asked.group, asked.metric), now = self.parts_.clock.wall(),
                                    &parts = self.parts_](Store& from) -> Result<model::ForecastView> {
            const Known known = TRY(known_of(from, series, now));
            return foretell(series, known.points, now, known.present,
                            TRY(days_of(parts.service_clock, parts.holidays)));
        });
    }
    void operator()(api::ImportHistory& asked) const {
        store<api::Imported>([asked = std::move(asked)](Store& from) -> Result<api::Imported> {
            const auto observed = TRY(analysis::forecast::parse_history(asked.file_name, asked.csv));
            std::vector<MetricPoint> points;
            for (const auto& [at, value] : observed)
                points.push_back({at, value});
            TRY(from.import_points(series_of(asked.group, asked.metric), points));
            return api::Imported{points.size()};
        });
    }
    void operator()(const api::MakeToken& asked) const {
        std::string token = keys::make_token();
        store<api::Token>([token = std::move(token), host = asked.host, server_key = self.parts_.server_key,
                           expires = self.parts_.clock.wall() + limits::kTokenLife](Store& from) -> Result<api::Token> {
            TRY(from.keep_token({keys::token_hash(token), host, expires}));
            return api::Token{token, server_key};
        });
    }
    void operator()(const api::RetireHost& asked) const {
        // first in the store: a host that is listed as retired must not be able to come back
        const bool taken = self.parts_.store.ask<Result<void>>(
            [host = asked.host](Store& from) { return from.revoke_key(host); },
            [api = &self, user = user, request_id = request_id, reply = reply, asked](const Result<void>& revoked) {
                if (!revoked.has_value()) return reply(failure(revoked.error()));
                api->parts_.retired(asked.host);
                api->ask_core(user, request_id, asked, reply);
            });
        if (!taken) reply(failure(kStoreBusy));
    }
    void operator()(const api::RunTrial& asked) const {
        Result<model::TrialSpec> spec = spec::read_trial(asked.file_name, asked.toml);
        if (!spec.has_value()) return reply(failure(spec.error()));
        if (!spec->aim.has_value()) return core(StartTrial{std::move(*spec)});
        start_aimed(std::move(*spec));
    }
    void operator()(const api::ApplyRollout& asked) const {
        Result<model::RolloutSpec> spec = spec::read_rollout(asked.file_name, asked.toml);
        if (!spec.has_value()) return reply(failure(spec.error()));
        core(StartRollout{std::move(*spec)});
    }
    /// A load trial whose steps come from the forecast: they are worked out first, beside the loop.
    void start_aimed(model::TrialSpec spec) const {
        const auto shadow = fleet().shadows.find(spec.shadow);
        if (shadow == fleet().shadows.end()) {
            return reply(api::Failure{
                .code = ErrorCode::kNotFound,
                .message = fmt::format("there is no shadow '{}': see `penumbra shadow list`", spec.shadow.text())});
        }
        const bool taken = self.parts_.store.ask<Result<std::vector<double>>>(
            [aim = *spec.aim, series = series_of(shadow->second.status.spec.group, ""), now = self.parts_.clock.wall(),
             &parts = self.parts_](Store& from) -> Result<std::vector<double>> {
                const Known known = TRY(known_of(from, series, now));
                return aimed_multiples(aim, series, known.points, now, known.present,
                                       TRY(days_of(parts.service_clock, parts.holidays)));
            },
            [api = &self, user = user, request_id = request_id, reply = reply,
             spec](Result<std::vector<double>> multiples) {
                if (!multiples.has_value()) return reply(failure(multiples.error()));
                model::TrialSpec aimed = spec;
                aimed.load_multiples = std::move(*multiples);
                api->ask_core(user, request_id, StartTrial{std::move(aimed)}, reply);
            });
        if (!taken) reply(failure(kStoreBusy));
    }
    template <class Other>
    void operator()(const Other& asked) const {
        if constexpr (std::is_constructible_v<Ask, Other>) {
            core(asked);
        } else {
            std::optional<api::ReplyBody> seen = view(fleet(), asked, self.parts_.clock.now());
            ASSERT(seen.has_value());  // every other request only reads
            reply(std::move(*seen));
        }
    }
};

void Api::take(const std::string& user, model::api::Request request, Answer answer) {
    const auto reply = [id = request.request_id, answer = std::move(answer)](api::ReplyBody body) {
        answer({id, std::move(body)});
    };
    if (!refusal_.empty() && is_change(request.body))
        return reply(api::Failure{.code = ErrorCode::kResourceExhausted, .message = refusal_});
    std::visit(Asking{*this, user, request.request_id, reply}, request.body);
}

void Api::ask_core(const std::string& user, const std::string& request_id, Ask ask, Reply reply) {
    const std::uint64_t client = ++client_;
    waiting_[client] = std::move(reply);
    parts_.core.step(Asked{.client = client, .request_id = request_id, .user = user, .ask = std::move(ask)});
}

void Api::answer(std::uint64_t client, const model::api::Reply& reply) {
    const auto found = waiting_.find(client);
    if (found == waiting_.end()) return;
    const Reply given = std::move(found->second);
    waiting_.erase(found);
    given(reply.body);
}

}  // namespace penumbra::coordinator
