#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace penumbra::netisolate {

/// A flow as it is installed in the datapath, which is what really moves frames: `dpctl/dump-flows --names`.
struct DatapathFlow {
    std::string in_port;               ///< name; empty: not matched, so it takes frames of every port
    std::vector<std::string> outputs;  ///< every port it can send to, nested actions included
    std::vector<std::string> others;   ///< actions that are neither an output nor a drop, as written
    std::string text;                  ///< the whole line
};

/// One line of the dump (ovs-dpctl(8)). Foreign text: bounded, and what is not understood lands in `others`.
[[nodiscard]] Result<DatapathFlow> parse_datapath_flow(std::string_view line);

/// A whole dump; empty lines, headings ("flow-dump from pmd ...") and our deadline's remarks are passed over.
[[nodiscard]] Result<std::vector<DatapathFlow>> parse_datapath_dump(std::string_view text);

}  // namespace penumbra::netisolate
