#pragma once

#include <string>
#include <vector>

#include "proto/model/api.hpp"

namespace penumbra::cli {

/// One thing that is wrong, or that will be refused, before anything is tried.
struct Finding {
    HostId host;
    std::string subject;  ///< "host", "vm shop", "command c1"
    std::string problem;  ///< one sentence: what, and what to do
    friend bool operator==(const Finding&, const Finding&) = default;
};

/// What the fleet's own views say is wrong, host by host. Pure.
[[nodiscard]] std::vector<Finding> find_problems(const std::vector<model::HostView>& hosts,
                                                 const std::vector<model::CommandView>& commands);

}  // namespace penumbra::cli
