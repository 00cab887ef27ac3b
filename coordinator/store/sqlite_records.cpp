#include "coordinator/store/sqlite_records.hpp"

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/limits/store.hpp"
#include "coordinator/store/sqlite_connection.hpp"
#include "coordinator/store/store_rules.hpp"
#include "proto/codec/codec.hpp"

namespace penumbra::coordinator {

namespace {

template <class T>
Result<Blob> packed(const T& value) {
    return Blob{TRY(codec::pack(value))};
}

// The first of the latest `kept`, up to `newest`, that stays.
std::uint64_t first_kept(std::uint64_t newest, std::size_t kept) {
    return newest >= kept ? newest - kept + 1 : 0;
}

struct Write {
    SqliteConnection& to;

    Result<void> operator()(const HostRecord& record) const {
        to.run("INSERT OR REPLACE INTO host VALUES (?, ?, ?, ?, ?)", record.host, record.retired, record.ever_seen,
               record.agent_version, TRY(packed(record.facts)));
        return {};
    }
    Result<void> operator()(const CommandRecord& record) const {
        std::optional<Blob> report;
        if (!record.report.command.empty()) report = TRY(packed(record.report));
        const bool final = model::is_final(record.state);
        const std::uint64_t fence = number(record.command.fence);
        to.run("INSERT OR REPLACE INTO command VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", record.command.id, record.host,
               fence, record.state, final, record.accepted, record.asked_by, record.created,
               TRY(packed(record.command)), report);
        to.run("DELETE FROM command WHERE final = 1 AND fence < ?", first_kept(fence, limits::kFinalCommandsKeptMax));
        return {};
    }
    Result<void> operator()(const GroupRecord& record) const {
        const model::GroupView view{record.group, record.host, record.vms, record.generations};
        to.run("INSERT OR REPLACE INTO vm_group VALUES (?, ?)", record.group, TRY(packed(view)));
        return {};
    }
    Result<void> operator()(const ShadowRecord& record) const {
        to.run("INSERT OR REPLACE INTO shadow VALUES (?, ?, ?, ?, ?)", record.status.spec.shadow, record.host,
               record.gone, TRY(packed(record.status)), TRY(packed(model::api::Reply{.body = record.isolation})));
        return {};
    }
    Result<void> operator()(const TrialRecord& record) const {
        const model::TrialStatus& status = record.status;
        to.run("INSERT OR REPLACE INTO trial VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", status.spec.trial,
               status.state == model::TrialState::kEnded, status.begun, record.pending, record.effect, record.rollout,
               record.span.from, record.span.to, record.asked_by, TRY(packed(status)));
        return {};
    }
    Result<void> operator()(const RolloutRecord& record) const {
        const model::RolloutStatus& status = record.status;
        to.run("INSERT OR REPLACE INTO rollout VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", status.spec.rollout,
               status.state == model::RolloutState::kEnded, status.begun, record.pending, record.drill_effect,
               record.shadow_host, record.verify_from, record.why, record.asked_by, TRY(packed(status)));
        return {};
    }
    Result<void> operator()(const RequestRecord& record) const {
        to.run(
            "INSERT INTO request (request, user, reply) VALUES (?, ?, ?)"
            " ON CONFLICT (request) DO UPDATE SET user = excluded.user, reply = excluded.reply",
            record.reply.request_id, record.user, TRY(packed(record.reply)));
        to.run("DELETE FROM request WHERE position <= (SELECT max(position) FROM request) - ?",
               limits::kRequestsRememberedMax);
        return {};
    }
    Result<void> operator()(const EventRecord& record) const {
        const model::EventView& event = record.event;
        to.run("INSERT OR REPLACE INTO event VALUES (?, ?, ?, ?, ?, ?)", event.sequence, event.at, event.kind,
               event.subject, event.message, event.user);
        to.run("DELETE FROM event WHERE sequence < ?", first_kept(event.sequence, limits::kEventsKeptMax));
        return {};
    }
    Result<void> operator()(const KpiRecord& record) const {
        const model::KpiWindow& window = record.window;
        const auto& [group, shadow, arm] = window.vantage;
        const int added = to.run("INSERT INTO kpi_window VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING", group,
                                 shadow, arm, window.sequence, window.begin, TRY(packed(window)));
        if (added == 0) return {};
        to.run("DELETE FROM kpi_window WHERE vm_group = ? AND shadow = ? AND arm = ? AND sequence < ?", group, shadow,
               arm, first_kept(window.sequence, limits::kKpiWindowsKeptMax));
        if (!shadow.empty() || window.length.count() <= 0) return {};
        to.run(
            "INSERT INTO measured VALUES (?, ?, ?, ?) ON CONFLICT (vm_group, at) DO UPDATE SET"
            " requests = requests + excluded.requests, milliseconds = milliseconds + excluded.milliseconds",
            group, history_bin(window.begin), window.requests, window.length.count());
        return {};
    }
    Result<void> operator()(const Counters& record) const {
        to.run("UPDATE life SET fence = ?, name = ?, event = ?", record.fence, record.name, record.event);
        return {};
    }
};

struct Read {
    SqliteConnection& from;
    Image image;

    Result<void> counters() {
        return from.each(
            [this](Row& row) -> Result<void> {
                image.counters = {.fence = Fence(row.count()), .name = row.count(), .event = row.count()};
                return {};
            },
            "SELECT fence, name, event FROM life");
    }
    Result<void> hosts() {
        return from.each(
            [this](Row& row) -> Result<void> {
                HostRecord& record = image.hosts.emplace_back();
                record.host = row.id<HostId>();
                record.retired = row.flag();
                record.ever_seen = row.flag();
                record.agent_version = row.text();
                record.facts = TRY(codec::unpack<model::HostFacts>(row.blob()));
                return {};
            },
            "SELECT * FROM host ORDER BY host");
    }
    Result<void> commands() {
        return from.each(
            [this](Row& row) -> Result<void> {
                CommandRecord& record = image.commands.emplace_back();
                record.host = row.id<HostId>();
                record.state = static_cast<model::CommandState>(row.number());
                if (record.state > model::CommandState::kUnknown)
                    return fail(ErrorCode::kDataLoss, "a stored command is in no state this version knows");
                record.accepted = row.flag();
                record.asked_by = row.text();
                record.created = row.time();
                record.command = TRY(codec::unpack<model::Command>(row.blob()));
                if (!row.is_null()) record.report = TRY(codec::unpack<model::CommandReport>(row.blob()));
                return {};
            },
            "SELECT host, state, accepted, asked_by, created, body, report FROM command WHERE final = 0"
            " OR command IN (SELECT command FROM command WHERE final = 1 ORDER BY fence DESC LIMIT ?) ORDER BY fence",
            limits::kCommandsListedMax);
    }
    Result<void> groups() {
        return from.each(
            [this](Row& row) -> Result<void> {
                auto view = TRY(codec::unpack<model::GroupView>(row.blob()));
                image.groups.push_back(
                    {std::move(view.group), std::move(view.host), std::move(view.vms), std::move(view.generations)});
                return {};
            },
            "SELECT body FROM vm_group ORDER BY vm_group");
    }
    Result<void> shadows() {
        return from.each(
            [this](Row& row) -> Result<void> {
                ShadowRecord& record = image.shadows.emplace_back();
                record.host = row.id<HostId>();
                record.status = TRY(codec::unpack<model::ShadowStatus>(row.blob()));
                auto listed = TRY(codec::unpack<model::api::Reply>(row.blob()));
                auto* isolation = std::get_if<std::vector<model::IsolationReport>>(&listed.body);
                if (isolation == nullptr)
                    return fail(ErrorCode::kDataLoss,
                                "a stored shadow's isolation reports are none: the file is damaged");
                record.isolation = std::move(*isolation);
                return {};
            },
            "SELECT host, status, isolation FROM shadow WHERE gone = 0 ORDER BY shadow");
    }
    Result<void> trials() {
        return from.each(
            [this](Row& row) -> Result<void> {
                TrialRecord& record = image.trials.emplace_back();
                record.pending = row.id<CommandId>();
                record.effect = row.id<EffectId>();
                record.rollout = row.id<RolloutId>();
                record.span.from = row.time();
                record.span.to = row.time();
                record.asked_by = row.text();
                record.status = TRY(codec::unpack<model::TrialStatus>(row.blob()));
                return {};
            },
            "SELECT pending, effect, rollout, span_from, span_to, asked_by, status FROM trial WHERE ended = 0"
            " OR trial IN (SELECT trial FROM trial WHERE ended = 1 ORDER BY begun DESC LIMIT ?) ORDER BY trial",
            limits::kTrialsListedMax);
    }
    Result<void> rollouts() {
        return from.each(
            [this](Row& row) -> Result<void> {
                RolloutRecord& record = image.rollouts.emplace_back();
                record.pending = row.id<CommandId>();
                record.drill_effect = row.id<EffectId>();
                record.shadow_host = row.id<HostId>();
                record.verify_from = row.time();
                record.why = row.text();
                record.asked_by = row.text();
                record.status = TRY(codec::unpack<model::RolloutStatus>(row.blob()));
                return {};
            },
            "SELECT pending, drill_effect, shadow_host, verify_from, why, asked_by, status FROM rollout WHERE ended = 0"
            " OR rollout IN (SELECT rollout FROM rollout WHERE ended = 1 ORDER BY begun DESC LIMIT ?) ORDER BY rollout",
            limits::kRolloutsListedMax);
    }
    Result<void> requests() {
        return from.each(
            [this](Row& row) -> Result<void> {
                RequestRecord& record = image.requests.emplace_back();
                record.user = row.text();
                record.reply = TRY(codec::unpack<model::api::Reply>(row.blob()));
                return {};
            },
            "SELECT user, reply FROM request ORDER BY position");
    }
    Result<void> windows() {
        return from.each(
            [this](Row& row) -> Result<void> {
                image.windows.push_back({TRY(codec::unpack<model::KpiWindow>(row.blob()))});
                return {};
            },
            "SELECT body FROM (SELECT body, vm_group, shadow, arm, sequence, row_number() OVER"
            " (PARTITION BY vm_group, shadow, arm ORDER BY sequence DESC) AS age FROM kpi_window)"
            " WHERE age <= ? ORDER BY vm_group, shadow, arm, sequence",
            limits::kKpiWindowsPerVantageMax);
    }
};

}  // namespace

Result<void> write_record(SqliteConnection& connection, const Record& record) {
    return std::visit(Write{connection}, record);
}

Result<Image> read_image(SqliteConnection& connection) {
    Read read{connection, {}};
    TRY(read.counters());
    TRY(read.hosts());
    TRY(read.commands());
    TRY(read.groups());
    TRY(read.shadows());
    TRY(read.trials());
    TRY(read.rollouts());
    TRY(read.requests());
    TRY(read.windows());
    return std::move(read.image);
}

}  // namespace penumbra::coordinator
