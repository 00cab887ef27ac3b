#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace penumbra::hypervisor {

/// Where a domain's definition is kept. `read` gives all of it, passwords included: what is written back without them
/// has lost them. Such a text is never kept, hashed, logged or shown.
struct DefinitionStore {
    std::function<Result<std::string>()> read;
    std::function<Result<void>(const std::string&)> write;
};

/// Reads, changes, reads again and writes: libvirt has no write that compares, so an operator's edit is lost only if it
/// comes between the second reading and the write. kConflict, and nothing is written, if the two readings differ.
[[nodiscard]] Result<void> edit_definition(const DefinitionStore& store,
                                           const std::function<Result<std::string>(std::string_view)>& change);

}  // namespace penumbra::hypervisor
