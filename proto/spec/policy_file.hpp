#pragma once

#include <filesystem>
#include <string_view>

#include "base/result.hpp"
#include "proto/model/policy.hpp"

namespace penumbra::spec {

/// What root of a host allows (design D14). A key that is not there allows nothing:
///
///     ceiling = "change"            # observe, replicate, shadow, change
///     vms = ["shop"]                # names or UUIDs; "*": all
///     effects = ["domain.iotune"]   # kinds; "*": all
///     run_shadows = true
///     plaintext_replicas = false    # of volumes that the host encrypts
///
/// kInvalidArgument: "FILE:LINE:COLUMN: ...". Thread-safe.
[[nodiscard]] Result<model::Policy> read_policy(std::string_view file, std::string_view toml);

/// The same from disk; a file that others than root may write is kPermissionDenied, one that is not there kNotFound.
[[nodiscard]] Result<model::Policy> load_policy(const std::filesystem::path& path);

}  // namespace penumbra::spec
