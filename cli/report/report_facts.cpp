#include "cli/report/report_facts.hpp"

#include <algorithm>

namespace penumbra::cli {

namespace {
void add(model::ReplayLedger& sum, const model::ReplayLedger& ledger) {
    sum.captured += ledger.captured;
    sum.replayed += ledger.replayed;
    sum.lost_capture_drop += ledger.lost_capture_drop;
    sum.lost_spool_full += ledger.lost_spool_full;
    sum.lost_connect += ledger.lost_connect;
    sum.lost_timeout += ledger.lost_timeout;
    sum.lost_reset += ledger.lost_reset;
    sum.lost_not_sent += ledger.lost_not_sent;
}
}  // namespace

std::vector<VantageLedger> ledgers_of(const std::vector<model::KpiWindow>& windows) {
    std::vector<VantageLedger> sums;
    for (const model::KpiWindow& window : windows) {
        if (window.vantage.arm.empty()) continue;
        auto sum = std::ranges::find(sums, window.vantage, &VantageLedger::vantage);
        if (sum == sums.end()) sum = sums.insert(sums.end(), {.vantage = window.vantage, .ledger = {}});
        add(sum->ledger, window.ledger);
    }
    return sums;
}

}  // namespace penumbra::cli
