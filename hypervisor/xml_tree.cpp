#include "hypervisor/xml_tree.hpp"

#include <sstream>

#include <fmt/format.h>

namespace penumbra::hypervisor {

Result<pugi::xml_node> parse_root(pugi::xml_document& document, std::string_view xml, const char* name,
                                  unsigned options) {
    const pugi::xml_parse_result parsed = document.load_buffer(xml.data(), xml.size(), options);
    if (!parsed)
        return fail(ErrorCode::kInvalidArgument,
                    fmt::format("libvirt's XML is malformed at byte {}: {}", parsed.offset, parsed.description()));
    const pugi::xml_node root = document.child(name);
    if (!root) return fail(ErrorCode::kInvalidArgument, fmt::format("libvirt's XML holds no <{}>", name));
    return root;
}

void set_attribute(pugi::xml_node node, const char* name, const std::string& value) {
    pugi::xml_attribute attribute = node.attribute(name);
    if (!attribute) attribute = node.append_attribute(name);
    attribute.set_value(value.c_str());
}

pugi::xml_node append_text(pugi::xml_node node, const char* element, const std::string& value) {
    pugi::xml_node child = node.append_child(element);
    child.text().set(value.c_str());
    return child;
}

std::string text_of(const pugi::xml_document& document, const char* indent) {
    const unsigned format = *indent == '\0' ? pugi::format_raw : pugi::format_indent;
    std::ostringstream text;
    document.save(text, indent, format | pugi::format_no_declaration);
    return text.str();
}

}  // namespace penumbra::hypervisor
