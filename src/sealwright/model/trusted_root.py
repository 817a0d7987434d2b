"""How the trusted root of the sandbox is told from one that means something.

Enters: nothing. Leaves: one constant. Reads no file and judges nothing.
"""

SANDBOX_ORGANIZATION = "Sealwright sandbox"
"""The organization of the sandbox's certificate authorities: `certificateAuthorities[].subject.organization` in
trusted_root.json, and the organizationName of the authorities' own certificates.

https://github.com/sigstore/protobuf-specs/blob/main/protos/sigstore_trustroot.proto (CertificateAuthority)
"""
