#include "agent/unit_words.hpp"

#include <system_error>

#include <fmt/format.h>

#include "base/durable_file.hpp"

namespace penumbra::agent {

Result<void> tell_unit(const std::filesystem::path& file, const std::vector<std::string>& words) {
    std::error_code made;
    std::filesystem::create_directories(file.parent_path(), made);
    if (made) return fail_errno(made.value(), fmt::format("making {}", file.parent_path().native()));
    for (const std::string& word : words) {
        if (word.find_first_of(" \t\n\"'\\$") != std::string::npos)
            return fail(ErrorCode::kInvalidArgument, fmt::format("'{}' cannot be told to a service", word));
    }
    return write_file_durably(file, fmt::format("ARGUMENTS={}\n", fmt::join(words, " ")), 0644);
}

std::vector<std::string> with_servers(std::vector<std::string> words, const std::vector<std::string>& servers) {
    for (const std::string& server : servers)
        words.insert(words.end(), {"--server", server});
    return words;
}

}  // namespace penumbra::agent
