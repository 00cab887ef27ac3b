#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace penumbra::agent {

/// `ARGUMENTS=...` for a unit's EnvironmentFile, its folder made where it is missing: names and paths only, so nothing
/// needs quoting; a word that would is kInvalidArgument. Blocks.
[[nodiscard]] Result<void> tell_unit(const std::filesystem::path& file, const std::vector<std::string>& words);

/// The words, and a `--server ADDRESS:PORT` for each of these.
[[nodiscard]] std::vector<std::string> with_servers(std::vector<std::string> words,
                                                    const std::vector<std::string>& servers);

}  // namespace penumbra::agent
