#include <string>
#include <string_view>

#include <fmt/format.h>

#include "cli/render/text.hpp"
#include "cli/report/report_facts.hpp"
#include "cli/report/sections.hpp"
#include "cli/report/svg_chart.hpp"

namespace penumbra::cli {

namespace {

constexpr std::string_view kStyle = R"css(
:root{--ink:#1c2330;--dim:#5b6575;--paper:#fbfbf9;--card:#fff;--rule:#e3e5e8;--production:#3b4252;--control:#2f7ebb;
--treated:#d9722c;--pass:#2e8b57;--fail:#c0392b;--open:#b8860b;--band:#2f7ebb}
@media(prefers-color-scheme:dark){:root{--ink:#e6e8ec;--dim:#9aa4b2;--paper:#15181d;--card:#1c2027;--rule:#2c323b;
--production:#c8d0dc;--control:#6db3e8;--treated:#f0985c;--pass:#5fc08b;--fail:#e8776a;--open:#e0b64c;--band:#6db3e8}}
*{box-sizing:border-box}body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,sans-serif}
main{max-width:1000px;margin:0 auto;padding:32px 20px 80px}h1{font-size:26px;margin:0 0 4px}h2{font-size:18px;margin:40px 0 8px;
border-bottom:1px solid var(--rule);padding-bottom:4px}.sub{color:var(--dim);margin:0 0 16px}
section.card{background:var(--card);border:1px solid var(--rule);border-radius:8px;padding:12px 16px;margin:12px 0}
.wide{overflow-x:auto}.wide+.wide{margin-top:16px}table{border-collapse:collapse;width:100%;font-size:13px}th{text-align:left;color:var(--dim);font-weight:600}
td,th{padding:4px 12px 4px 0;border-top:1px solid var(--rule);vertical-align:top;white-space:nowrap}
td.text{white-space:normal;min-width:10em;overflow-wrap:anywhere}tr:first-child th{border-top:0}.below td{border-top:0;padding-top:0;color:var(--dim)}
td:last-child,th:last-child{padding-right:0}
.word{font-weight:700}.PASS,.SUCCEEDED{color:var(--pass)}.FAIL,.REJECTED,.ROLLBACK_FAILED{color:var(--fail)}
.INCONCLUSIVE,.INVALID,.ABORTED,.ROLLED_BACK{color:var(--open)}code{font:12px ui-monospace,monospace}
figure{margin:12px 0}svg{width:100%;height:auto}.title{font-size:13px;font-weight:600;fill:var(--ink)}.tick,.row{font-size:11px;fill:var(--dim)}
.row{fill:var(--ink)}.grid{stroke:var(--rule)}.line{fill:none;stroke-width:1.2}.line.production{stroke:var(--production)}
.line.control{stroke:var(--control)}.line.treated{stroke:var(--treated)}.line.median{stroke:var(--band)}
.band{fill:var(--band);fill-opacity:.16}.span{fill:var(--dim);fill-opacity:.12;stroke:var(--paper)}.span.PASS,.span.SUCCEEDED{fill:var(--pass);fill-opacity:.18}
.span.FAIL,.span.REJECTED{fill:var(--fail);fill-opacity:.18}.span.ROLLED_BACK,.span.INCONCLUSIVE,.span.INVALID{fill:var(--open);fill-opacity:.18}
.rows .span{fill-opacity:.4;stroke:none}.rows .label{fill:var(--ink)}
.label{font-size:10px;fill:var(--dim)}
.legend{font-size:12px;color:var(--dim);margin:0 0 0 7%}.key{display:inline-block;width:18px;height:3px;vertical-align:middle;margin-right:4px}
.key.production{background:var(--production)}.key.control{background:var(--control)}.key.treated{background:var(--treated)}
.key.median,.key.band{background:var(--band)}.key.band{height:10px;opacity:.3}
)css";

}  // namespace

std::string report_html(const ReportFacts& facts) {
    std::string title = "penumbra report";
    if (!facts.groups.empty()) title = "penumbra: " + facts.groups.front().group.text();
    std::string text = fmt::format(
        "<!doctype html>\n<html lang='en'><head><meta charset='utf-8'>"
        "<meta name='viewport' "
        "content='width=device-width,initial-scale=1'><title>{0}</title><style>{1}</style></head>\n"
        "<body><main><h1>{0}</h1><p class='sub'>made {2} by penumbra {3}, from the coordinator's store alone; times "
        "are "
        "UTC</p>\n",
        escaped(title), kStyle, iso_time(facts.made), escaped(facts.version));
    text += timeline_section(facts) + rollout_section(facts) + trial_section(facts) + cloning_section(facts) +
            kpi_section(facts) + forecast_section(facts) + isolation_section(facts) + replica_section(facts);
    return text + "</main></body></html>\n";
}

}  // namespace penumbra::cli
