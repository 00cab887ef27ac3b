#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/limits/store.hpp"
#include "coordinator/store/store.hpp"

namespace penumbra::coordinator {

class SqliteConnection;

/// The Store on SQLite (design D16): WAL, one exclusive connection, synchronous=FULL. No other process may open the
/// file while this one has it, and none does. Thread-bound, but may be handed from one thread to another.
class SqliteStore final : public Store {
 public:
    struct Options {
        std::filesystem::path file;
        std::uint64_t bytes_max = limits::kStoreBytesMax;
    };
    explicit SqliteStore(Options options);
    SqliteStore(const SqliteStore&) = delete;
    SqliteStore& operator=(const SqliteStore&) = delete;
    SqliteStore(SqliteStore&&) = delete;
    SqliteStore& operator=(SqliteStore&&) = delete;
    ~SqliteStore() override;

    [[nodiscard]] Result<Image> open(Epoch above) override;
    [[nodiscard]] Result<void> commit(std::span<const Batch> batches) override;
    [[nodiscard]] Result<std::vector<model::EventView>> events(std::uint64_t after, std::size_t count_max) override;
    [[nodiscard]] Result<std::vector<model::KpiWindow>> windows(const model::Vantage& vantage, WallTime from,
                                                                WallTime to) override;
    [[nodiscard]] Result<void> import_points(const Series& series, std::span<const MetricPoint> points) override;
    [[nodiscard]] Result<std::vector<MetricPoint>> points(const Series& series) override;
    [[nodiscard]] Result<std::vector<EnrolledKey>> keys() override;
    [[nodiscard]] Result<void> keep_token(const EnrolmentToken& token) override;
    [[nodiscard]] Result<HostId> redeem_token(const std::string& hash, const std::string& public_key,
                                              WallTime now) override;
    [[nodiscard]] Result<void> revoke_key(const HostId& host) override;

 private:
    const Options options_;
    std::unique_ptr<SqliteConnection> connection_;
};

}  // namespace penumbra::coordinator
