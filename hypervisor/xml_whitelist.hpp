#pragma once

#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <pugixml.hpp>

namespace penumbra::hypervisor {

/// Sentences, each once, in the order in which they were first said.
class Gaps {
 public:
    void add(std::string sentence);
    [[nodiscard]] std::vector<std::string> take() && { return std::move(sentences_); }

 private:
    std::vector<std::string> sentences_;
    std::set<std::string> said_;
};

/// What of production's domain XML a shadow may have, by path below <domain>: elements "cpu/model", attributes
/// "cpu/model@fallback", text "cpu/model#"; <address> is the same everywhere. What is not in here is never passed on.
/// A value that is a path of the host is not passed on either, wherever it stands.
[[nodiscard]] bool is_whitelisted(std::string_view path);

/// Whether a value is a place on production's host: a path, but not one of the distribution's read-only files.
[[nodiscard]] bool is_host_path(std::string_view value);

/// Copies `from`, which stands at `path`, below `to` as far as the whitelist admits, and gives the copy; a child
/// element that is neither admitted nor known to be without effect for the guest is reported. The depth is that of the
/// whitelist, whatever that of the input.
pugi::xml_node copy_whitelisted(const pugi::xml_node& from, pugi::xml_node to, const std::string& path, Gaps& gaps);

}  // namespace penumbra::hypervisor
