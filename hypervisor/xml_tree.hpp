#pragma once

#include <string>
#include <string_view>

#include <pugixml.hpp>

#include "base/result.hpp"

/// What all our readers and writers of libvirt's XML share.
namespace penumbra::hypervisor {

/// The root element, which must be called `name`; kInvalidArgument otherwise. Lives in `document`.
[[nodiscard]] Result<pugi::xml_node> parse_root(pugi::xml_document& document, std::string_view xml, const char* name,
                                                unsigned options = pugi::parse_default);

/// Sets an attribute, making it first if it is not there.
void set_attribute(pugi::xml_node node, const char* name, const std::string& value);

/// Appends <element>value</element> and gives it.
pugi::xml_node append_text(pugi::xml_node node, const char* element, const std::string& value);

/// The document without a declaration; `indent` "": on one line.
[[nodiscard]] std::string text_of(const pugi::xml_document& document, const char* indent = "");

}  // namespace penumbra::hypervisor
