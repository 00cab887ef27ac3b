#include "coordinator/store/sqlite_store.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/limits/analysis.hpp"
#include "base/limits/local.hpp"
#include "coordinator/store/sqlite_connection.hpp"
#include "coordinator/store/sqlite_records.hpp"
#include "coordinator/store/store_rules.hpp"
#include "proto/codec/codec.hpp"

namespace penumbra::coordinator {

SqliteStore::SqliteStore(Options options) : options_(std::move(options)) {}
SqliteStore::~SqliteStore() = default;

Result<Image> SqliteStore::open(Epoch above) {
    ASSERT(connection_ == nullptr);
    auto connection = TRY(SqliteConnection::open(options_.file, options_.bytes_max));
    std::uint64_t epoch = 0;
    TRY(connection->within("raising the epoch", [&]() -> Result<void> {
        connection->run("UPDATE life SET epoch = max(epoch, ?) + 1", number(above));
        return connection->each(
            [&](Row& row) -> Result<void> {
                epoch = row.count();
                return {};
            },
            "SELECT epoch FROM life");
    }));
    Image image = TRY(connection->within("reading", [&] { return read_image(*connection); }));
    image.epoch = Epoch(epoch);
    connection_ = std::move(connection);
    return image;
}

Result<void> SqliteStore::commit(std::span<const Batch> batches) {
    return connection_->within("storing", [&]() -> Result<void> {
        for (const Batch& batch : batches)
            for (const Record& record : batch.records)
                TRY(write_record(*connection_, record));
        return {};
    });
}

Result<std::vector<model::EventView>> SqliteStore::events(std::uint64_t after, std::size_t count_max) {
    return connection_->within("reading events", [&]() -> Result<std::vector<model::EventView>> {
        std::vector<model::EventView> found;
        TRY(connection_->each(
            [&](Row& row) -> Result<void> {
                model::EventView& event = found.emplace_back();
                event.sequence = row.count();
                event.at = row.time();
                event.kind = row.text();
                event.subject = row.text();
                event.message = row.text();
                event.user = row.text();
                return {};
            },
            "SELECT * FROM event WHERE sequence > ? ORDER BY sequence LIMIT ?", after, count_max));
        return found;
    });
}

Result<std::vector<model::KpiWindow>> SqliteStore::windows(const model::Vantage& vantage, WallTime from, WallTime to) {
    return connection_->within("reading KPI windows", [&]() -> Result<std::vector<model::KpiWindow>> {
        std::vector<model::KpiWindow> found;
        TRY(connection_->each(
            [&](Row& row) -> Result<void> {
                found.push_back(TRY(codec::unpack<model::KpiWindow>(row.blob())));
                return {};
            },
            "SELECT body FROM kpi_window WHERE vm_group = ? AND shadow = ? AND arm = ? AND begin >= ? AND begin < ?"
            " ORDER BY sequence LIMIT ?",
            vantage.group, vantage.shadow, vantage.arm, from, to, limits::kItemsPerReplyMax));
        return found;
    });
}

Result<void> SqliteStore::import_points(const Series& series, std::span<const MetricPoint> points) {
    return connection_->within("importing history", [&]() -> Result<void> {
        for (const MetricPoint& point : points)
            connection_->run("INSERT OR REPLACE INTO imported VALUES (?, ?, ?, ?)", series.group, series.metric,
                             point.at, point.value);
        return {};
    });
}

Result<std::vector<MetricPoint>> SqliteStore::points(const Series& series) {
    return connection_->within("reading history", [&]() -> Result<std::vector<MetricPoint>> {
        std::vector<MetricPoint> found;
        const bool is_measured = series.metric == kRequestRate;
        // where both are known, what was measured counts
        TRY(connection_->each(
            [&](Row& row) -> Result<void> {
                const WallTime at = row.time();
                if (row.is_null()) {
                    static_cast<void>(row.real());
                    const std::uint64_t requests = row.count();
                    found.push_back({at, rate_of(requests, std::chrono::milliseconds(row.number()))});
                } else {
                    found.push_back({at, row.real()});
                }
                return {};
            },
            "SELECT at, value, requests, milliseconds FROM ("
            " SELECT at, NULL AS value, requests, milliseconds FROM measured WHERE ?1 AND vm_group = ?2"
            " UNION ALL SELECT at, value, 0, 0 FROM imported WHERE vm_group = ?2 AND metric = ?3"
            "  AND NOT (?1 AND at IN (SELECT at FROM measured WHERE vm_group = ?2)))"
            " ORDER BY at DESC LIMIT ?4",
            is_measured, series.group, series.metric, limits::kForecastHistoryMax));
        std::ranges::reverse(found);
        return found;
    });
}

Result<std::vector<EnrolledKey>> SqliteStore::keys() {
    return connection_->within("reading keys", [&]() -> Result<std::vector<EnrolledKey>> {
        std::vector<EnrolledKey> found;
        TRY(connection_->each(
            [&](Row& row) -> Result<void> {
                found.push_back({row.id<HostId>(), row.text()});
                return {};
            },
            "SELECT host, public_key FROM agent_key ORDER BY host"));
        return found;
    });
}

Result<void> SqliteStore::keep_token(const EnrolmentToken& token) {
    return connection_->within("keeping an enrolment token", [&]() -> Result<void> {
        connection_->run("INSERT OR REPLACE INTO token VALUES (?, ?, ?, '')", token.host, token.hash, token.expires);
        return {};
    });
}

Result<HostId> SqliteStore::redeem_token(const std::string& hash, const std::string& public_key, WallTime now) {
    return connection_->within("enrolling a host", [&]() -> Result<HostId> {
        std::optional<HostId> host;
        TRY(connection_->each(
            [&](Row& row) -> Result<void> {
                host = row.id<HostId>();
                return {};
            },
            "SELECT host FROM token WHERE hash = ?1 AND expires > ?3 AND used_by IN ('', ?2)", hash, public_key, now));
        if (!host.has_value()) return token_refused();
        std::optional<HostId> owner;
        TRY(connection_->each(
            [&](Row& row) -> Result<void> {
                owner = row.id<HostId>();
                return {};
            },
            "SELECT host FROM agent_key WHERE public_key = ? AND host <> ?", public_key, *host));
        if (owner.has_value()) return key_taken(*owner);
        connection_->run("UPDATE token SET used_by = ? WHERE hash = ?", public_key, hash);
        connection_->run("INSERT OR REPLACE INTO agent_key VALUES (?, ?)", *host, public_key);
        return std::move(*host);
    });
}

Result<void> SqliteStore::revoke_key(const HostId& host) {
    return connection_->within("revoking a key", [&]() -> Result<void> {
        connection_->run("DELETE FROM agent_key WHERE host = ?", host);
        connection_->run("DELETE FROM token WHERE host = ?", host);
        return {};
    });
}

}  // namespace penumbra::coordinator
