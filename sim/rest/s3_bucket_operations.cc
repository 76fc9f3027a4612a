#include "sim/rest/s3_bucket_operations.h"

#include <fmt/format.h>

#include "sim/cloud/utc_time.h"
#include "sim/rest/s3_documents.h"
#include "sim/rest/s3_listings.h"

namespace otasim::rest {

namespace {

constexpr std::string_view kRegion = "us-east-1";

}  // namespace

S3Result<S3Answer> list_buckets(const S3Request& /*request*/, S3Services& services) {
  const auto buckets = services.objects.buckets().list();
  if (!buckets) return tl::unexpected(buckets.error());
  std::string entries;
  for (const auto& bucket : *buckets) {
    entries += fmt::format("<Bucket>{}{}</Bucket>", xml_element("Name", bucket.name),
                           xml_element("CreationDate", s3_time(bucket.created_at)));
  }
  return S3Answer{200,
                  {},
                  xml_document("ListAllMyBucketsResult",
                               fmt::format("{}<Buckets>{}</Buckets>", owner_element("Owner"), entries))};
}

S3Result<S3Answer> create_bucket(const S3Request& request, S3Services& services, const std::string& body) {
  const auto constraint = read_create_bucket(body);
  if (!constraint) return tl::unexpected(constraint.error());
  if (!constraint->empty() && *constraint != kRegion) {
    return tl::unexpected(S3Error{
        400, "IllegalLocationConstraintException",
        fmt::format(
            "The {} location constraint is incompatible for the region specific endpoint this request "
            "was sent to.",
            *constraint)});
  }
  const std::string& name = request.location.bucket;
  if (auto created = services.objects.buckets().create(name); !created) {
    return tl::unexpected(created.error());
  }
  return S3Answer{200, {{"Location", "/" + name}}, {}};
}

S3Result<S3Answer> head_bucket(const S3Request& request, S3Services& services) {
  const auto bucket = services.objects.buckets().describe(request.location.bucket);
  if (!bucket) return tl::unexpected(bucket.error());
  return S3Answer{200, {{"x-amz-bucket-region", std::string(kRegion)}}, {}};
}

S3Result<S3Answer> delete_bucket(const S3Request& request, S3Services& services) {
  if (auto removed = services.objects.buckets().remove(request.location.bucket); !removed) {
    return tl::unexpected(removed.error());
  }
  return S3Answer{204, {}, {}};
}

/// S3 says nothing for us-east-1, its first region.
S3Result<S3Answer> get_bucket_location(const S3Request& request, S3Services& services) {
  const auto bucket = services.objects.buckets().describe(request.location.bucket);
  if (!bucket) return tl::unexpected(bucket.error());
  return S3Answer{200, {}, xml_document("LocationConstraint", "")};
}

S3Result<S3Answer> get_bucket_versioning(const S3Request& request, S3Services& services) {
  const auto bucket = services.objects.buckets().describe(request.location.bucket);
  if (!bucket) return tl::unexpected(bucket.error());
  const bool ever = bucket->versioning != cloud::Versioning::kNever;
  return S3Answer{200,
                  {},
                  xml_document("VersioningConfiguration",
                               ever ? xml_element("Status", to_string(bucket->versioning)) : "")};
}

S3Result<S3Answer> put_bucket_versioning(const S3Request& request, S3Services& services,
                                         const std::string& body) {
  const auto versioning = read_versioning(body);
  if (!versioning) return tl::unexpected(versioning.error());
  if (auto set = services.objects.buckets().set_versioning(request.location.bucket, *versioning); !set) {
    return tl::unexpected(set.error());
  }
  return S3Answer{};
}

/// Each key is deleted on its own: one that fails does not keep the others.
S3Result<S3Answer> delete_objects(const S3Request& request, S3Services& services, const std::string& body) {
  const std::string& bucket = request.location.bucket;
  if (const auto found = services.objects.buckets().describe(bucket); !found) {
    return tl::unexpected(found.error());
  }
  const auto wanted = read_delete_request(body);
  if (!wanted) return tl::unexpected(wanted.error());
  std::string entries;
  for (const auto& [key, version] : wanted->entries) {
    const auto deleted = services.objects.delete_object(bucket, key, version);
    const std::string asked =
        xml_element("Key", key) + (version.empty() ? "" : xml_element("VersionId", version));
    if (!deleted) {
      entries += fmt::format("<Error>{}{}{}</Error>", asked, xml_element("Code", deleted.error().code),
                             xml_element("Message", deleted.error().message));
    } else if (!wanted->quiet) {
      const std::string marker = deleted->delete_marker
                                     ? fmt::format("<DeleteMarker>true</DeleteMarker>{}",
                                                   xml_element("DeleteMarkerVersionId", deleted->version))
                                     : "";
      entries += fmt::format("<Deleted>{}{}</Deleted>", asked, marker);
    }
  }
  return S3Answer{200, {}, xml_document("DeleteResult", entries)};
}

}  // namespace otasim::rest
