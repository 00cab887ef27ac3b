#include "analysis/histogram_log.hpp"
#include "base/durable_file.hpp"
#include "base/limits/cli.hpp"
#include "base/limits/local.hpp"
#include "cli/verbs.hpp"

namespace penumbra::cli {

Result<ExitCode> history_import(Session& session, GroupId group, std::string metric,
                                const std::filesystem::path& file) {
    std::string csv = TRY(read_file(file, limits::kHistoryCsvBytesMax));
    return show<model::api::Imported>(session, model::api::ImportHistory{.group = std::move(group),
                                                                         .metric = std::move(metric),
                                                                         .file_name = file.filename().native(),
                                                                         .csv = std::move(csv)});
}

Result<ExitCode> kpi_list(Session& session, model::Vantage vantage, std::chrono::seconds span,
                          const std::filesystem::path& histogram_log) {
    const WallTime to = session.now();
    const auto windows = TRY(ask_for<std::vector<model::KpiWindow>>(
        session.ask, model::api::ListKpi{.vantage = std::move(vantage), .from = to - span, .to = to}));
    if (!histogram_log.empty()) {
        std::vector<analysis::LoggedInterval> intervals;
        for (const model::KpiWindow& window : windows) {
            intervals.push_back({.begin = window.begin,
                                 .length = window.length,
                                 .tag = window.vantage.arm.text(),
                                 .values = window.response_time});
        }
        TRY(write_file_durably(histogram_log, TRY(analysis::hdr_log_of(intervals)), limits::kDrawingMode));
    }
    session.print(render(windows, session.format));
    return ExitCode::kDone;
}

}  // namespace penumbra::cli
