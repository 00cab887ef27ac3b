#include "base/durable_file.hpp"
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

Result<ExitCode> kpi_list(Session& session, model::Vantage vantage, std::chrono::seconds span) {
    const WallTime to = session.now();
    return show<std::vector<model::KpiWindow>>(
        session, model::api::ListKpi{.vantage = std::move(vantage), .from = to - span, .to = to});
}

}  // namespace penumbra::cli
