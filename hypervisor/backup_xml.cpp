#include "hypervisor/backup_xml.hpp"

#include <algorithm>
#include <sstream>

#include <fmt/format.h>
#include <pugixml.hpp>

namespace penumbra::hypervisor {

namespace {

std::string text_of(const pugi::xml_document& document) {
    std::ostringstream text;
    document.save(text, "", pugi::format_raw | pugi::format_no_declaration);
    return text.str();
}

void set(pugi::xml_node node, const char* attribute, const std::string& value) {
    node.append_attribute(attribute).set_value(value.c_str());
}

void append_text(pugi::xml_node node, const char* element, const std::string& value) {
    node.append_child(element).text().set(value.c_str());
}

pugi::xml_node append_disk(pugi::xml_node disks, const std::string& name) {
    pugi::xml_node disk = disks.append_child("disk");
    set(disk, "name", name);
    return disk;
}

const BackupDisk* find(const BackupRequest& request, const std::string& disk) {
    const auto found = std::ranges::find(request.disks, disk, &BackupDisk::disk);
    return found == request.disks.end() ? nullptr : &*found;
}

Result<pugi::xml_node> parse(pugi::xml_document& document, std::string_view xml, const char* element) {
    const pugi::xml_parse_result parsed = document.load_buffer(xml.data(), xml.size());
    const pugi::xml_node node = document.child(element);
    if (parsed && node) return node;
    return fail(ErrorCode::kInternal, fmt::format("libvirt gave no <{}>: {}", element, parsed.description()));
}

}  // namespace

std::string backup_xml(const BackupRequest& request, const std::vector<std::string>& domain_disks) {
    pugi::xml_document document;
    pugi::xml_node backup = document.append_child("domainbackup");
    set(backup, "mode", "pull");
    pugi::xml_node server = backup.append_child("server");
    set(server, "transport", "unix");
    set(server, "socket", request.socket.string());
    pugi::xml_node disks = backup.append_child("disks");
    for (const std::string& name : domain_disks) {
        pugi::xml_node disk = append_disk(disks, name);
        const BackupDisk* wanted = find(request, name);
        set(disk, "backup", wanted == nullptr ? "no" : "yes");
        if (wanted == nullptr) continue;
        set(disk, "type", "file");
        // Each disk says its own mode: a disk added since must not make the whole cut fail.
        set(disk, "backupmode", wanted->since.empty() ? "full" : "incremental");
        if (!wanted->since.empty()) set(disk, "incremental", wanted->since.text());
        set(disk.append_child("scratch"), "file", wanted->scratch.string());
    }
    return text_of(document);
}

std::string checkpoint_xml(const BackupRequest& request, const std::vector<std::string>& domain_disks) {
    pugi::xml_document document;
    pugi::xml_node checkpoint = document.append_child("domaincheckpoint");
    append_text(checkpoint, "name", request.checkpoint.text());
    pugi::xml_node disks = checkpoint.append_child("disks");
    for (const std::string& name : domain_disks) {
        set(append_disk(disks, name), "checkpoint", find(request, name) == nullptr ? "no" : "bitmap");
    }
    return text_of(document);
}

std::string checkpoint_xml(const CheckpointFacts& facts) {
    pugi::xml_document document;
    pugi::xml_node checkpoint = document.append_child("domaincheckpoint");
    append_text(checkpoint, "name", facts.name.text());
    append_text(checkpoint, "creationTime", fmt::to_string(facts.created_s));
    pugi::xml_node disks = checkpoint.append_child("disks");
    for (const auto& [name, dirty] : facts.dirty) {
        pugi::xml_node disk = append_disk(disks, name);
        set(disk, "checkpoint", "bitmap");
        set(disk, "bitmap", facts.name.text());
    }
    return text_of(document);
}

Result<BackupServer> backup_server_in(std::string_view xml) {
    pugi::xml_document document;
    const pugi::xml_node backup = TRY(parse(document, xml, "domainbackup"));
    if (std::string_view(backup.attribute("mode").as_string("push")) != "pull")
        return fail(ErrorCode::kUnsupported, "the backup job is a push-mode one, which serves nothing");
    BackupServer server{.socket = backup.child("server").attribute("socket").as_string(), .exports = {}};
    for (const pugi::xml_node& disk : backup.child("disks").children("disk")) {
        if (std::string_view(disk.attribute("backup").as_string()) != "yes") continue;
        const char* name = disk.attribute("name").as_string();
        const bool incremental = std::string_view(disk.attribute("backupmode").as_string("full")) == "incremental";
        // libvirt's default names: formatbackup.html, "exportname" and "exportbitmap"
        server.exports.push_back(
            {.disk = name,
             .name = disk.attribute("exportname").as_string(name),
             .bitmap = !incremental
                           ? std::string()
                           : disk.attribute("exportbitmap").as_string(fmt::format("backup-{}", name).c_str())});
    }
    return server;
}

Result<CheckpointFacts> checkpoint_in(std::string_view xml) {
    pugi::xml_document document;
    const pugi::xml_node checkpoint = TRY(parse(document, xml, "domaincheckpoint"));
    CheckpointFacts facts{.name = CheckpointId(checkpoint.child_value("name")),
                          .created_s = checkpoint.child("creationTime").text().as_llong(),
                          .dirty = {}};
    for (const pugi::xml_node& disk : checkpoint.child("disks").children("disk")) {
        if (std::string_view(disk.attribute("checkpoint").as_string()) != "bitmap") continue;
        // No size: QEMU has no such bitmap, or has it marked as inconsistent.
        const pugi::xml_attribute size = disk.attribute("size");
        facts.dirty[disk.attribute("name").as_string()] = size ? std::optional(Bytes(size.as_ullong())) : std::nullopt;
    }
    return facts;
}

}  // namespace penumbra::hypervisor
