#include "hypervisor/config_hash.hpp"

#include <algorithm>
#include <vector>

#include <fmt/format.h>
#include <pugixml.hpp>

namespace penumbra::hypervisor {
namespace {

constexpr unsigned kDepthMax = 64;

void append_escaped(std::string& out, std::string_view text) {
    for (const char c : text) {
        if (c == '<')
            out += "&lt;";
        else if (c == '&')
            out += "&amp;";
        else if (c == '"')
            out += "&quot;";
        else
            out += c;
    }
}

Result<void> append_element(std::string& out, const pugi::xml_node& node, unsigned depth) {
    if (depth > kDepthMax)
        return fail(ErrorCode::kInvalidArgument, fmt::format("the domain's XML is nested deeper than {}", kDepthMax));
    std::vector<pugi::xml_attribute> attributes(node.attributes_begin(), node.attributes_end());
    std::ranges::sort(attributes, {}, [](const pugi::xml_attribute& a) { return std::string_view(a.name()); });
    out += fmt::format("<{}", node.name());
    for (const pugi::xml_attribute& attribute : attributes) {
        if (depth == 0 && std::string_view(attribute.name()) == "id") continue;
        out += fmt::format(" {}=\"", attribute.name());
        append_escaped(out, attribute.value());
        out += '"';
    }
    out += '>';
    for (const pugi::xml_node& child : node.children()) {
        if (child.type() == pugi::node_element) TRY(append_element(out, child, depth + 1));
        if (child.type() == pugi::node_pcdata || child.type() == pugi::node_cdata) append_escaped(out, child.value());
    }
    out += fmt::format("</{}>", node.name());
    return {};
}

}  // namespace

Result<std::string> canonical_xml(std::string_view xml) {
    pugi::xml_document document;
    const pugi::xml_parse_result parsed =
        document.load_buffer(xml.data(), xml.size(), pugi::parse_default | pugi::parse_trim_pcdata);
    if (!parsed || document.document_element().empty())
        return fail(ErrorCode::kInvalidArgument,
                    fmt::format("the domain's XML is malformed at byte {}: {}", parsed.offset, parsed.description()));
    std::string out;
    TRY(append_element(out, document.document_element(), 0));
    return out;
}

Result<Digest> config_hash(const DomainConfiguration& configuration) {
    Sha256 hash;
    hash.update(TRY(canonical_xml(configuration.inactive_xml)));
    for (const auto& [name, value] : configuration.scheduler)
        hash.update(fmt::format("\nscheduler {} {}", name, value));
    for (const auto& [disk, vector] : configuration.iotune) {
        for (const auto& [name, value] : vector.limits) {
            if (value != 0) hash.update(fmt::format("\niotune {} {} {}", disk, name, value));
        }
        if (!vector.group_name.empty()) hash.update(fmt::format("\niotune {} group {}", disk, vector.group_name));
    }
    return hash.finish();
}

}  // namespace penumbra::hypervisor
