"""Calls gRPC methods by their names, with messages learnt from the server's reflection.

Arguments: server, token, root certificates, client certificate, client key; the last four may be empty.
Reads one JSON object a line: {"method": "package.Service/Method", "requests": {...} or [{...}, ...]}.
Writes one JSON object a line: {"ok": ...} or {"code": ..., "message": ..., "details": [...]}.
"""

import json
import sys

import grpc
from google.protobuf import any_pb2, descriptor_pool, json_format, message_factory
from google.rpc import error_details_pb2, status_pb2
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

DEADLINE_SECONDS = 30


def read(path):
    with open(path, "rb") as file:
        return file.read()


def connect(server, roots, certificate, key):
    if not roots:
        return grpc.insecure_channel(server)
    pair = (read(key), read(certificate)) if certificate else (None, None)
    return grpc.secure_channel(server, grpc.ssl_channel_credentials(read(roots), *pair))


def details(error):
    """The details behind a status, each as JSON with its type."""
    for name, value in error.trailing_metadata() or ():
        if name == "grpc-status-details-bin":
            status = status_pb2.Status.FromString(value)
            return [json_format.MessageToDict(detail, descriptor_pool=descriptor_pool.Default()) for detail in status.details]
    return []


def as_dict(message):
    return json_format.MessageToDict(message, preserving_proto_field_name=True)


class Caller:
    def __init__(self, server, token, roots, certificate, key):
        self.channel = connect(server, roots, certificate, key)
        self.metadata = [("authorization", f"Bearer {token}")] if token else []
        self.pool = None

    def method(self, name):
        if self.pool is None:
            self.pool = descriptor_pool.DescriptorPool(ProtoReflectionDescriptorDatabase(self.channel))
        service, method = name.split("/")
        return self.pool.FindServiceByName(service).FindMethodByName(method)

    def call(self, name, requests):
        method = self.method(name)
        request_class = message_factory.GetMessageClass(method.input_type)
        kind = ("stream" if method.client_streaming else "unary") + "_" + ("stream" if method.server_streaming else "unary")
        stub = getattr(self.channel, kind)(
            "/" + name,
            request_serializer=request_class.SerializeToString,
            response_deserializer=message_factory.GetMessageClass(method.output_type).FromString,
        )
        parse = lambda request: json_format.ParseDict(request, request_class())
        message = iter([parse(request) for request in requests]) if method.client_streaming else parse(requests)
        answer = stub(message, metadata=self.metadata, timeout=DEADLINE_SECONDS)
        return [as_dict(part) for part in answer] if method.server_streaming else as_dict(answer)


def main():
    # Known by name only once they are imported.
    assert error_details_pb2 and any_pb2
    caller = Caller(*sys.argv[1:6])
    for line in sys.stdin:
        command = json.loads(line)
        try:
            answer = {"ok": caller.call(command["method"], command["requests"])}
        except grpc.RpcError as error:
            answer = {"code": error.code().name, "message": error.details(), "details": details(error)}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
