#include "base/time_zone.hpp"

#include <chrono>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <optional>
#include <system_error>

#include <fmt/format.h>

namespace penumbra {

namespace {

constexpr auto kSpanMax = std::chrono::days(36'525);
constexpr const char* kZones = "/usr/share/zoneinfo";

/// TZ of the process for as long as this lives.
class ZoneOfProcess {
 public:
    explicit ZoneOfProcess(const std::string& zone) {
        if (const char* before = std::getenv("TZ"); before != nullptr) before_ = before;
        set((":" + zone).c_str());
    }
    ZoneOfProcess(const ZoneOfProcess&) = delete;
    ZoneOfProcess& operator=(const ZoneOfProcess&) = delete;
    ZoneOfProcess(ZoneOfProcess&&) = delete;
    ZoneOfProcess& operator=(ZoneOfProcess&&) = delete;
    ~ZoneOfProcess() {
        if (before_) {
            set(before_->c_str());
        } else {
            ::unsetenv("TZ");
            ::tzset();
        }
    }

    [[nodiscard]] static std::chrono::minutes offset_at(std::chrono::sys_seconds at) {
        const std::time_t seconds = at.time_since_epoch().count();
        std::tm local{};
        ::localtime_r(&seconds, &local);
        return std::chrono::floor<std::chrono::minutes>(std::chrono::seconds(local.tm_gmtoff));
    }

 private:
    static void set(const char* zone) {
        ::setenv("TZ", zone, 1);
        ::tzset();
    }
    std::optional<std::string> before_;
};

/// glibc takes a zone that it does not know for UTC, without a word.
bool is_known(const std::string& zone) {
    if (zone.empty() || zone.front() == '/' || zone.find("..") != std::string::npos) return false;
    std::error_code error;
    return std::filesystem::is_regular_file(std::filesystem::path(kZones) / zone, error);
}

}  // namespace

Result<std::vector<OffsetChange>> offset_changes_of(const std::string& zone, WallTime from, WallTime to) {
    if (!is_known(zone)) {
        return fail(ErrorCode::kNotFound,
                    fmt::format("there is no time zone \"{}\" in {}: name one such as Europe/Berlin", zone, kZones));
    }
    if (to < from || to - from > kSpanMax) {
        return fail(ErrorCode::kInvalidArgument, "a time zone is looked up over a century at most");
    }
    const ZoneOfProcess process(zone);
    const auto end = std::chrono::floor<std::chrono::seconds>(to);
    auto at = std::chrono::floor<std::chrono::seconds>(from);
    std::vector<OffsetChange> changes{{from, ZoneOfProcess::offset_at(at)}};
    // two changes lie further apart than a day
    for (; at < end; at += std::chrono::days(1)) {
        const auto offset = ZoneOfProcess::offset_at(at + std::chrono::days(1));
        if (offset == changes.back().offset) continue;
        auto before = at;
        auto after = at + std::chrono::days(1);
        while (after - before > std::chrono::seconds(1)) {
            const auto middle = before + (after - before) / 2;
            (ZoneOfProcess::offset_at(middle) == offset ? after : before) = middle;
        }
        changes.push_back({after, offset});
    }
    return changes;
}

}  // namespace penumbra
