#include "controller/adapters/azure/sign_in_table.h"

#include <algorithm>

namespace galleryd::azure {
namespace {

using enum ErrorKind;

constexpr std::string_view listed = "Microsoft's list of authentication and authorization error codes [D]";
constexpr std::string_view facts = "azure-facts §13 [U]";
constexpr std::string_view seen = "reported with this text by users; Microsoft's list is silent or differs [U]";

// clang-format off: a table
constexpr SignInRow rows[] = {
    // ---- time: which clock or file is wrong the caller says (token_answer.cc) ----
    {700024, denied, "GD3019", "the assertion is outside its time. Set this machine's clock", facts},
    {500133, denied, "GD3019", "the assertion is outside its time. Set this machine's clock", listed},
    // ---- secret ----
    {7000215, denied, "GD3011",
     "the client secret is wrong. Set AZURE_CLIENT_SECRET to the secret's value, not to its id", listed},
    {70002, denied, "GD3011",
     "the client secret is wrong. Set AZURE_CLIENT_SECRET to the secret's value, not to its id", listed},
    {7000222, denied, "GD3012",
     "the client secret has expired. Make a new one for this application and set AZURE_CLIENT_SECRET", listed},
    {7000218, denied, "GD3010", "the request held neither a secret nor an assertion. Check --credential", listed},
    // ---- application ----
    {700016, denied, "GD3013", "the application is unknown in this tenant. Check AZURE_CLIENT_ID and AZURE_TENANT_ID",
     listed},
    {700011, denied, "GD3013", "the application is unknown in this tenant. Check AZURE_CLIENT_ID and AZURE_TENANT_ID",
     listed},
    {70001, denied, "GD3013", "the application is disabled or unknown. Check AZURE_CLIENT_ID", listed},
    {7000112, denied, "GD3013", "the application is disabled. Its owner enables it again in Microsoft Entra", listed},
    {65001, denied, "GD3013", "nobody has consented to the application in this tenant. An administrator has to",
     listed},
    {50105, denied, "GD3013", "the application lets assigned identities only in. Its owner assigns this one", listed},
    {700025, denied, "GD3010",
     "the application is a public client, which has no secret. Register it as a confidential one", listed},
    // ---- tenant and cloud ----
    {90002, denied, "GD3014", "the tenant is unknown. Check AZURE_TENANT_ID and the cloud (--azure)", listed},
    {900023, denied, "GD3014", "the tenant is not a valid name. Check AZURE_TENANT_ID", seen},
    {500011, denied, "GD3014",
     "the tenant knows no such Azure endpoint. --azure and AZURE_TENANT_ID belong to two clouds", listed},
    {90038, denied, "GD3014", "the tenant belongs to another cloud. Check --azure and AZURE_AUTHORITY_HOST", listed},
    {900382, denied, "GD3014", "the tenant belongs to another cloud. Check --azure and AZURE_AUTHORITY_HOST", listed},
    {900432, denied, "GD3014", "the tenant belongs to another cloud. Check --azure and AZURE_AUTHORITY_HOST", listed},
    {9001023, denied, "GD3014", "AZURE_TENANT_ID names no single tenant. Set the tenant's id", listed},
    // ---- certificate and assertion ----
    {700027, denied, "GD3017",
     "the certificate is not registered for this application or has expired, or the signature does not fit", listed},
    {700030, denied, "GD3017", "the certificate's subject is not the one that the application trusts", listed},
    {700021, denied, "GD3017", "the assertion is for another application. Check AZURE_CLIENT_ID", seen},
    {700023, denied, "GD3017", "the assertion is for another audience. Check AZURE_TENANT_ID and AZURE_AUTHORITY_HOST",
     seen},
    {50013, denied, "GD3017", "the assertion's signature was refused", listed},
    {50027, denied, "GD3017", "the assertion's issuer, audience or time does not fit. Check AZURE_TENANT_ID", listed},
    {50048, denied, "GD3017", "the assertion's subject and issuer differ. Check AZURE_CLIENT_ID", listed},
    {90016, denied, "GD3017", "the assertion lacks a claim that is needed", listed},
    // ---- federated credentials ----
    {70021, denied, "GD3018",
     "no federated credential of the application fits this identity's issuer, subject and audience", facts},
    {700211, denied, "GD3018", "no federated credential of the application has this token's issuer", seen},
    {700212, denied, "GD3018", "no federated credential of the application has this token's audience", seen},
    {700213, denied, "GD3018", "no federated credential of the application has this token's subject", seen},
    {700229, denied, "GD3018", "the workload's token is a person's; a federated credential takes app-only tokens",
     listed},
    // ---- Conditional Access ----
    {53003, denied, "GD3024", "Conditional Access blocks the sign-in. Ask its owner to let this identity or address in",
     listed},
    {530032, denied, "GD3024", "a security policy of the tenant blocks the sign-in. Ask the tenant's administrator",
     listed},
    {50076, denied, "GD3024", "Conditional Access asks for a second factor. Sign in again: az login", listed},
    {50079, denied, "GD3024", "Conditional Access asks for a second factor. Sign in again: az login", listed},
    {50158, denied, "GD3024", "Conditional Access asks for another check of the person. Sign in again: az login",
     listed},
    // ---- a person's sign-in (Azure CLI) ----
    {700082, denied, "GD3028", "the Azure CLI's sign-in has expired. Sign in again: az login", listed},
    {70043, denied, "GD3028", "the Azure CLI's sign-in has expired. Sign in again: az login", listed},
    {50173, denied, "GD3028", "the Azure CLI's sign-in was revoked. Sign in again: az login", listed},
    {50078, denied, "GD3028", "the Azure CLI's second factor has expired. Sign in again: az login", listed},
    {50057, denied, "GD3028", "the person's account is disabled. Use an identity that is not a person's", listed},
    {50055, denied, "GD3028", "the person's password has expired. Change it and sign in again: az login", listed},
    // ---- the service's own trouble ----
    {90006, transient, "GD3090", "the sign-in service is unwell; asked again soon", listed},
    {90012, transient, "GD3090", "the sign-in service took too long; asked again soon", listed},
    {90024, transient, "GD3090", "the sign-in service is unwell; asked again soon", listed},
    {90033, transient, "GD3090", "the sign-in service's directory is not available; asked again soon", listed},
    {90055, throttled, "GD3030", "too many sign-ins of this tenant; asked again later", listed},
};
// clang-format on

}  // namespace

std::span<const SignInRow> sign_in_rows() { return rows; }

const SignInRow* find_sign_in_row(int number) {
    const auto found = std::ranges::find(sign_in_rows(), number, &SignInRow::number);
    return found == sign_in_rows().end() ? nullptr : &*found;
}

}  // namespace galleryd::azure
